import { isLakehouseError, systemRuntime, type ErrorCode, type LakehouseError, type Runtime } from '@lh/core';
import { expect, onTestFinished } from 'vitest';
import { FaultProxy, newBucket, type ProxyRule } from '../../../tests/support/s3/src/index.ts';
import { s3Place } from '../../../tests/support/s3/vitest/place.ts';
import { S3FileIO, type S3FileIOOptions } from '../src/index.ts';

/** The run's server with its own keys, unless others are given. */
export function s3FileIO(options: S3FileIOOptions = {}): S3FileIO {
  const { endpoint, region, accessKeyId, secretAccessKey } = s3Place();
  return new S3FileIO({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, ...options });
}

/** `s3://<a bucket of its own>`. */
export async function newRoot(): Promise<string> {
  return `s3://${await newBucket(s3Place())}`;
}

/** A proxy in front of the server for the length of a test, and a FileIO that goes through it. */
export async function throughProxy(
  rules: readonly ProxyRule[] = [],
  options: S3FileIOOptions = {},
): Promise<{ proxy: FaultProxy; io: S3FileIO }> {
  const proxy = await FaultProxy.start(s3Place().endpoint, { rules });
  const io = s3FileIO({ endpoint: proxy.endpoint, ...options });
  onTestFinished(async () => {
    await io.close();
    await proxy.stop();
  });
  return { proxy, io };
}

/** A runtime in which something happens whenever a request that failed is about to be made again. */
export function beforeRetries(act: () => Promise<unknown>): Runtime {
  return { ...systemRuntime, sleep: async () => void (await act()) };
}

/** What a call fails with, which must be an error of the library with this code. */
export async function failure(call: Promise<unknown>, code: ErrorCode): Promise<LakehouseError> {
  const error: unknown = await call.then(
    () => expect.fail(`The call should have failed with ${code}.`),
    (reason: unknown) => reason,
  );
  if (!isLakehouseError(error)) throw error;
  expect(error.code, error.message).toBe(code);
  return error;
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Bytes in which no two places look alike. */
export function pattern(length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4)).map((_, index) => Math.imul(index + 1, 0x9e37_79b1));
  return new Uint8Array(words.buffer, 0, length);
}

/** Compares bytes, of which there are too many to print. */
export function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.length).toBe(expected.length);
  expect(Buffer.compare(actual, expected), 'the bytes differ').toBe(0);
}

export async function* chunked(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.slice(start, start + size);
}
