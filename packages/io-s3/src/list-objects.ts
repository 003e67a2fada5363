import {
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type ListMultipartUploadsCommandInput,
  type ListMultipartUploadsCommandOutput,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  type MultipartUpload,
} from '@aws-sdk/client-s3';
import { LakehouseError, type FileStat } from '@lh/core';
import type { S3Location } from './location.ts';
import { statOf } from './stat-object.ts';
import type { Store } from './store.ts';

/** Every object below a prefix. */
export async function* listObjects(
  store: Store,
  target: S3Location,
  signal: AbortSignal | undefined,
): AsyncIterable<FileStat> {
  for await (const page of pages(store, target, null, signal)) {
    const decode = decoderOf(page);
    for (const object of page.Contents ?? []) {
      yield statOf(target.root + decode(object.Key!), object.Size ?? 0, object);
    }
  }
}

/** The names between a prefix that ends in a slash and the next slash. */
export async function* listNames(
  store: Store,
  target: S3Location,
  signal: AbortSignal | undefined,
): AsyncIterable<string> {
  for await (const page of pages(store, target, '/', signal)) {
    const decode = decoderOf(page);
    for (const { Prefix } of page.CommonPrefixes ?? []) {
      const name = decode(Prefix!).slice(target.key.length, -1);
      if (name !== '') yield name;
    }
  }
}

async function* pages(
  store: Store,
  { location, bucket, key }: S3Location,
  delimiter: string | null,
  signal: AbortSignal | undefined,
): AsyncIterable<ListObjectsV2CommandOutput> {
  let token: string | undefined;
  do {
    const input: ListObjectsV2CommandInput = {
      Bucket: bucket,
      Prefix: key,
      // XML can't hold every name, and parsers trim it.
      EncodingType: 'url',
      ...(delimiter !== null && { Delimiter: delimiter }),
      ...(token !== undefined && { ContinuationToken: token }),
      ...store.common,
    };
    const page = await store.requests.run({ verb: 'list', location }, signal, ({ client, options }) =>
      client.send(new ListObjectsV2Command(input), options),
    );
    // Every listing says whether it is whole; what answers something else may have anything.
    if (page.IsTruncated === undefined) throw notAListing(location);
    yield page;
    const next = page.IsTruncated ? page.NextContinuationToken : undefined;
    if (page.IsTruncated && (next === undefined || next === token)) throw truncated(location);
    token = next;
  } while (token !== undefined);
}

export interface UnfinishedUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly initiatedMs: number;
}

/** Uploads below a prefix that were neither completed nor aborted. */
export async function* listUploads(
  store: Store,
  target: S3Location,
  signal: AbortSignal | undefined,
): AsyncIterable<UnfinishedUpload> {
  let isFound = false;
  for await (const upload of uploadsOf(store, target, signal)) {
    isFound = true;
    yield upload;
  }
  if (isFound || target.key === '') return;
  // MinIO knows uploads by their whole name or all together, and nothing in between.
  for await (const upload of uploadsOf(store, { ...target, key: '' }, signal)) {
    if (upload.key.startsWith(target.key)) yield upload;
  }
}

async function* uploadsOf(
  store: Store,
  { location, bucket, key }: S3Location,
  signal: AbortSignal | undefined,
): AsyncIterable<UnfinishedUpload> {
  let after: { KeyMarker?: string; UploadIdMarker?: string } | null = {};
  while (after !== null) {
    const input: ListMultipartUploadsCommandInput = {
      Bucket: bucket,
      Prefix: key,
      EncodingType: 'url',
      ...after,
      ...store.common,
    };
    const page: ListMultipartUploadsCommandOutput = await store.requests.run(
      { verb: 'list uploads of', location },
      signal,
      ({ client, options }) => client.send(new ListMultipartUploadsCommand(input), options),
    );
    const decode = decoderOf(page);
    for (const upload of page.Uploads ?? []) yield uploadOf(upload, decode);
    if (page.IsTruncated && !page.NextKeyMarker) throw truncated(location);
    after = page.IsTruncated
      ? {
          KeyMarker: decode(page.NextKeyMarker!),
          ...(page.NextUploadIdMarker && { UploadIdMarker: page.NextUploadIdMarker }),
        }
      : null;
  }
}

function uploadOf({ Key, UploadId, Initiated }: MultipartUpload, decode: (text: string) => string): UnfinishedUpload {
  return { key: decode(Key!), uploadId: UploadId!, initiatedMs: Initiated?.getTime() ?? Infinity };
}

/** How names stand in an answer: not all stores encode them as they are asked to. */
function decoderOf({ EncodingType }: { EncodingType?: string | undefined }): (text: string) => string {
  return EncodingType === 'url' ? (text) => decodeURIComponent(text.replaceAll('+', ' ')) : (text) => text;
}

function notAListing(location: string): LakehouseError {
  const message = `What answered to the listing of '${location}' does not speak S3; check the endpoint.`;
  return new LakehouseError('INVALID_DATA', message, { context: { location } });
}

function truncated(location: string): LakehouseError {
  const message = `The store broke off the listing of '${location}' without saying how to go on, so files may be missing.`;
  return new LakehouseError('INVALID_DATA', message, { context: { location } });
}
