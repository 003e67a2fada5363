import { LakehouseError, type FileIO, type FileIOSettings } from '@lh/core';
import type { S3Encryption, S3FileIOOptions, S3Identity } from './options.ts';
import { S3FileIO } from './s3-file-io.ts';

type Properties = Readonly<Record<string, string>>;

/**
 * S3 as a catalog's settings describe it, with the names that PyIceberg and Spark have for them: `s3.endpoint`,
 * `s3.region`, `s3.access-key-id`, `s3.secret-access-key`, `s3.session-token`, `s3.path-style-access`, `s3.sse.type`. Keys
 * that the catalog lends are renewed through it; without any, they are found as all AWS tools find them.
 * Give it to a catalog as its `io`.
 */
export function s3FileIO({ location, properties, credentials }: FileIOSettings): FileIO {
  if (!/^s3[an]?:\/\//i.test(location)) {
    throw new LakehouseError('UNSUPPORTED', `'${location}' is not in S3; give the catalog a FileIO that reaches it.`, {
      context: { location },
    });
  }
  return new S3FileIO({ ...optionsOf(properties), ...credentialsOf(properties, credentials) });
}

function optionsOf(properties: Properties): S3FileIOOptions {
  const endpoint = properties['s3.endpoint'];
  const region = properties['s3.region'] ?? properties['client.region'];
  const pathStyle = pathStyleOf(properties);
  const encryption = encryptionOf(properties);
  return {
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(pathStyle !== null && { forcePathStyle: pathStyle }),
    ...(encryption !== null && { encryption }),
  };
}

function credentialsOf(
  properties: Properties,
  lent: FileIOSettings['credentials'],
): Pick<S3FileIOOptions, 'credentials'> {
  if (lent !== null) return { credentials: async () => requiredIdentity(await lent()) };
  if (properties['s3.anonymous']?.toLowerCase() === 'true') return { credentials: 'anonymous' };
  const identity = identityOf(properties);
  if (identity !== null) return { credentials: identity };
  if (properties['s3.remote-signing-enabled']?.toLowerCase() === 'true') {
    throw new LakehouseError(
      'UNSUPPORTED',
      'The catalog wants to sign each request to S3 itself, which is not supported: let it lend credentials, or give s3.access-key-id and s3.secret-access-key.',
    );
  }
  return {};
}

function requiredIdentity(lent: Properties): S3Identity {
  const identity = identityOf(lent);
  if (identity !== null) return identity;
  throw new LakehouseError('UNAUTHORIZED', 'The catalog lends no keys of S3 for this table.');
}

/** PyIceberg has `client.*` for what holds of all AWS services. */
function identityOf(properties: Properties): S3Identity | null {
  const read = (name: string): string | undefined => properties[`s3.${name}`] ?? properties[`client.${name}`];
  const [accessKeyId, secretAccessKey] = [read('access-key-id'), read('secret-access-key')];
  if (accessKeyId === undefined || secretAccessKey === undefined) return null;
  const expiresAtMs = Number(read('session-token-expires-at-ms'));
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: read('session-token'),
    ...(Number.isFinite(expiresAtMs) && { expiration: new Date(expiresAtMs) }),
  };
}

/** Java's name for it, else PyIceberg's, which means the opposite. */
function pathStyleOf(properties: Properties): boolean | null {
  const [pathStyle, virtual] = [properties['s3.path-style-access'], properties['s3.force-virtual-addressing']];
  if (pathStyle !== undefined) return pathStyle.toLowerCase() === 'true';
  return virtual === undefined ? null : virtual.toLowerCase() !== 'true';
}

function encryptionOf(properties: Properties): S3Encryption | null {
  const type = properties['s3.sse.type']?.toLowerCase() ?? 'none';
  const keyId = properties['s3.sse.key'];
  if (type === 'none') return null;
  if (type === 's3') return { type: 'SSE-S3' };
  if (type === 'kms') return { type: 'SSE-KMS', ...(keyId !== undefined && { keyId }) };
  throw new LakehouseError(
    'UNSUPPORTED',
    `s3.sse.type '${type}' can't be set by a property: make an S3FileIO with it.`,
  );
}
