export { type Permission, type TemporaryCredentials, assumeRole } from './assume-role.ts';
export { deleteBucket, listUploads, newBucket } from './buckets.ts';
export {
  FaultProxy,
  type FaultProxyOptions,
  type ProxyFault,
  type ProxyRequest,
  type ProxyRule,
} from './fault-proxy.ts';
export { S3ServerMissing } from './find-server.ts';
export type { S3Place } from './place.ts';
export type { S3Operation } from './s3-operation.ts';
export { type Answer, type SignedRequest, signedRequest } from './signed-request.ts';
export { type MinioServer, type S3Server, startMinio, startS3Server } from './start-server.ts';
