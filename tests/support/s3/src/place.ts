/** Where an S3 server is, and who may do everything there. */
export interface S3Place {
  /** `http://127.0.0.1:9000`: for requests in path style. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** How the names of buckets begin that are made here: they are deleted in the end. */
  readonly bucketPrefix: string;
}
