import type { IncomingHttpHeaders } from 'node:http';

/** What a request to S3 asks for, by the name that AWS has for it. */
export type S3Operation =
  | 'AbortMultipartUpload'
  | 'CompleteMultipartUpload'
  | 'CopyObject'
  | 'CreateBucket'
  | 'CreateMultipartUpload'
  | 'DeleteObject'
  | 'DeleteObjects'
  | 'GetObject'
  | 'HeadBucket'
  | 'HeadObject'
  | 'ListBuckets'
  | 'ListMultipartUploads'
  | 'ListObjectsV2'
  | 'Other'
  | 'PutObject'
  | 'UploadPart';

/** For objects, and for buckets: by method, and by the name in the query that makes it another operation. */
const OBJECTS: Readonly<Record<string, S3Operation>> = {
  'GET ': 'GetObject',
  'HEAD ': 'HeadObject',
  'PUT ': 'PutObject',
  'DELETE ': 'DeleteObject',
  'PUT uploadId': 'UploadPart',
  'POST uploads': 'CreateMultipartUpload',
  'POST uploadId': 'CompleteMultipartUpload',
  'DELETE uploadId': 'AbortMultipartUpload',
};

const BUCKETS: Readonly<Record<string, S3Operation>> = {
  'HEAD ': 'HeadBucket',
  'PUT ': 'CreateBucket',
  'GET list-type': 'ListObjectsV2',
  'GET uploads': 'ListMultipartUploads',
  'POST delete': 'DeleteObjects',
};

const QUERIES = ['uploadId', 'uploads', 'list-type', 'delete'];

/** Tells by the path, in path style, and the headers of a request. */
export function s3Operation(
  method: string,
  path: string,
  headers: IncomingHttpHeaders,
): { readonly operation: S3Operation; readonly bucket: string; readonly key: string } {
  const url = new URL(path, 'http://s3');
  const [bucket = '', ...rest] = url.pathname.slice(1).split('/');
  const key = decodeURIComponent(rest.join('/'));
  const query = QUERIES.find((name) => url.searchParams.has(name)) ?? '';
  if (bucket === '') return { operation: method === 'GET' ? 'ListBuckets' : 'Other', bucket, key };
  const operation = (key === '' ? BUCKETS : OBJECTS)[`${method} ${query}`] ?? 'Other';
  const isCopy = operation === 'PutObject' && 'x-amz-copy-source' in headers;
  return { operation: isCopy ? 'CopyObject' : operation, bucket, key };
}
