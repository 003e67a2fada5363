import { randomUUID } from 'node:crypto';

import type { S3Place } from './place.ts';
import { type Answer, signedRequest } from './signed-request.ts';

/** Creates an empty bucket of a name that nobody has; with a name given, a bucket of ours may be there. Returns the name. */
export async function newBucket(
  place: S3Place,
  name: string = `${place.bucketPrefix}${randomUUID()}`,
): Promise<string> {
  const answer = await signedRequest(place, { method: 'PUT', path: `/${name}`, service: 's3' });
  if (answer.body.includes('BucketAlreadyOwnedByYou')) return name;
  expectStatus(answer, [200], `create ${name}`);
  return name;
}

/** Names of all buckets. */
export async function listBuckets(place: S3Place): Promise<readonly string[]> {
  const answer = await signedRequest(place, { method: 'GET', path: '/', service: 's3' });
  return elements(expectStatus(answer, [200], 'list buckets').body, 'Name');
}

/** Deletes a bucket with all that is in it, uploads that never ended among that. */
export async function deleteBucket(place: S3Place, name: string): Promise<void> {
  const remove = async (path: string): Promise<void> => {
    const answer = await signedRequest(place, { method: 'DELETE', path, service: 's3' });
    expectStatus(answer, [204, 404], `delete ${path}`);
  };
  for (const { key, uploadId } of await listUploads(place, name)) {
    await remove(`/${name}/${encodePath(key)}?uploadId=${encodeURIComponent(uploadId)}`);
  }
  for (let keys = await somePage(place, name); keys.length > 0; keys = await somePage(place, name)) {
    await Promise.all(keys.map((key) => remove(`/${name}/${encodePath(key)}`)));
  }
  await remove(`/${name}`);
}

async function somePage(place: S3Place, bucket: string): Promise<readonly string[]> {
  const path = `/${bucket}?encoding-type=url&list-type=2`;
  const answer = await signedRequest(place, { method: 'GET', path, service: 's3' });
  return elements(expectStatus(answer, [200, 404], `list ${bucket}`).body, 'Contents').map((entry) =>
    decodeKey(elements(entry, 'Key')[0]!),
  );
}

/** Multipart uploads of a bucket that have neither been completed nor aborted. */
export async function listUploads(
  place: S3Place,
  bucket: string,
  prefix = '',
): Promise<readonly { readonly key: string; readonly uploadId: string }[]> {
  const path = `/${bucket}?encoding-type=url&prefix=${encodeURIComponent(prefix)}&uploads=`;
  const answer = await signedRequest(place, { method: 'GET', path, service: 's3' });
  if (answer.status === 404) return [];
  return elements(expectStatus(answer, [200], `list the uploads of ${bucket}`).body, 'Upload').map((upload) => ({
    key: decodeKey(elements(upload, 'Key')[0]!),
    uploadId: elements(upload, 'UploadId')[0]!,
  }));
}

export function expectStatus(answer: Answer, wanted: readonly number[], what: string): Answer {
  if (wanted.includes(answer.status)) return answer;
  throw new Error(`The S3 server could not ${what}: ${answer.status} ${answer.body}`);
}

/** The texts between the tags of a name; S3's answers have no attributes there. */
export function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^]*?)</${name}>`, 'g'))].map((match) => match[1]!);
}

function decodeKey(key: string): string {
  return decodeURIComponent(key.replaceAll('+', '%20'));
}

function encodePath(key: string): string {
  const encode = (part: string): string =>
    encodeURIComponent(part).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return key.split('/').map(encode).join('/');
}
