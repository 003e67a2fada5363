export { S3FileIO } from './s3-file-io.ts';
export { s3FileIO } from './s3-file-io-factory.ts';
export type {
  S3Encryption,
  S3FileIOOptions,
  S3Identity,
  S3IdentityProvider,
  S3RetryOptions,
  S3TimeoutOptions,
} from './options.ts';
