import { elements, expectStatus } from './buckets.ts';
import type { S3Place } from './place.ts';
import { signedRequest } from './signed-request.ts';

export interface TemporaryCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** Which actions (`s3:GetObject`, `s3:*`) are allowed on which resources (`arn:aws:s3:::bucket/*`). */
export interface Permission {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

/** Credentials for an hour that allow no more than is said; all that the server's own keys do if nothing is. */
export async function assumeRole(place: S3Place, permissions?: readonly Permission[]): Promise<TemporaryCredentials> {
  const form = new URLSearchParams({ Action: 'AssumeRole', Version: '2011-06-15', DurationSeconds: '3600' });
  if (permissions) {
    const statements = permissions.map(({ actions, resources }) => {
      return { Effect: 'Allow', Action: actions, Resource: resources };
    });
    form.set('Policy', JSON.stringify({ Version: '2012-10-17', Statement: statements }));
  }
  const answer = await signedRequest(place, {
    method: 'POST',
    path: '/',
    service: 'sts',
    body: form.toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  const [accessKeyId, secretAccessKey, sessionToken] = ['AccessKeyId', 'SecretAccessKey', 'SessionToken'].map(
    (name) => elements(expectStatus(answer, [200], 'give temporary credentials').body, name)[0]!,
  );
  return { accessKeyId: accessKeyId!, secretAccessKey: secretAccessKey!, sessionToken: sessionToken! };
}
