import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import type { FileStat, WriteOptions } from '@lh/core';
import type { S3Location } from './location.ts';
import { conditionFailed, conditionsOf, newWriteMark, whoseFile, type WriteMark } from './own-writes.ts';
import { answered, isNoObject, outcomeUnknown, type Action } from './s3-errors.ts';
import type { Store } from './store.ts';

/** An object that comes in parts; there is nothing to see of it before it is complete. */
export class MultipartUpload {
  readonly #store: Store;
  readonly #target: S3Location;
  readonly #action: Action;
  readonly #mark: WriteMark;
  readonly #uploadId: string;
  readonly #parts: CompletedPart[] = [];
  #size = 0;

  private constructor(store: Store, target: S3Location, mark: WriteMark, uploadId: string) {
    this.#store = store;
    this.#target = target;
    this.#action = { verb: 'write', location: target.location };
    this.#mark = mark;
    this.#uploadId = uploadId;
  }

  static async begin(store: Store, target: S3Location, signal: AbortSignal | undefined): Promise<MultipartUpload> {
    const mark = newWriteMark(store.settings.runtime);
    const input = {
      Bucket: target.bucket,
      Key: target.key,
      Metadata: mark.Metadata,
      ...store.common,
      ...store.newObject,
    };
    const action = { verb: 'write', location: target.location };
    const { UploadId } = await store.requests.run(action, signal, ({ client, options }) =>
      client.send(new CreateMultipartUploadCommand(input), options),
    );
    return new MultipartUpload(store, target, mark, UploadId!);
  }

  /** Parts have numbers from 1 on, and may come in any order. */
  async uploadPart(number: number, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const input = {
      ...this.#upload,
      PartNumber: number,
      Body: bytes,
      ContentLength: bytes.length,
      ...this.#store.customerKey,
    };
    const { ETag } = await this.#store.requests.run(this.#action, signal, ({ client, options }) =>
      client.send(new UploadPartCommand(input), options),
    );
    this.#parts[number - 1] = { PartNumber: number, ETag };
    this.#size += bytes.length;
  }

  /** Makes the object. ALREADY_EXISTS or COMMIT_CONFLICT as the conditions say. */
  complete(options: WriteOptions): Promise<FileStat> {
    const conditions = conditionsOf(options);
    const input = {
      ...this.#upload,
      MultipartUpload: { Parts: this.#parts },
      ...conditions,
      ...this.#store.customerKey,
    };
    const { location } = this.#target;
    const isConditional = Object.keys(conditions).length > 0;
    return this.#store.requests.run({ ...this.#action, isConditional }, options.signal, async (attempt) => {
      try {
        const command = new CompleteMultipartUploadCommand(input);
        const { ETag } = await attempt.client.send(command, attempt.options);
        return { location, size: this.#size, ...(ETag !== undefined && { etag: ETag }) };
      } catch (error) {
        const isRefused = answered(error, 412) || (isNoObject(error) && conditions.IfMatch !== undefined);
        const isGone = answered(error, 'NoSuchUpload');
        if (!isRefused && !isGone) throw error;
        const found = attempt.inDoubt ? await whoseFile(this.#store, this.#target, attempt, this.#mark) : 'another';
        if (found !== null && found !== 'another') return found;
        if (isGone) throw error;
        throw found === 'another' ? conditionFailed(location, conditions) : outcomeUnknown(location);
      }
    });
  }

  /** Lets the store forget the parts. What fails here is left for `deleteUnfinishedWrites`. */
  async abort(): Promise<void> {
    await this.#store.requests
      .run(this.#action, undefined, ({ client }) => client.send(new AbortMultipartUploadCommand(this.#upload)))
      .catch(() => undefined);
  }

  get #upload(): { Bucket: string; Key: string; UploadId: string; RequestPayer?: 'requester' } {
    const { bucket, key } = this.#target;
    return { Bucket: bucket, Key: key, UploadId: this.#uploadId, ...this.#store.common };
  }
}
