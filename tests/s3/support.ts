import { FileSystemCatalog, LakehouseError } from '@lh/core';
import type { ErrorCode, FileIO } from '@lh/core';
import { S3FileIO, type S3FileIOOptions } from '@lh/io-s3';
import { newBucket } from 'lakehouse-s3-server';
import { expect } from 'vitest';

import { s3Place } from '../support/s3/vitest/place.ts';

/** The run's S3 server, or a proxy in front of it, with its own keys unless others are given. */
export function s3FileIO(options: S3FileIOOptions = {}): S3FileIO {
  const { endpoint, region, accessKeyId, secretAccessKey } = s3Place();
  return new S3FileIO({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, ...options });
}

/** `s3://<a bucket of its own>/wh`. */
export async function newWarehouse(): Promise<string> {
  return `s3://${await newBucket(s3Place())}/wh`;
}

/** A catalog in a bucket of its own, with the namespace `db`; reached through another FileIO, if one is given. */
export async function newCatalog(io: FileIO = s3FileIO()): Promise<FileSystemCatalog> {
  const warehouse = await newWarehouse();
  await (await FileSystemCatalog.open({ io: s3FileIO(), warehouse })).createNamespace('db');
  return FileSystemCatalog.open({ io, warehouse });
}

/** What a call fails with, which must be an error of the library with this code. */
export async function failure(call: Promise<unknown>, code: ErrorCode | readonly ErrorCode[]): Promise<LakehouseError> {
  const error = await call.then(
    (value) => expect.fail(`The call should have failed with ${code}, but gave ${String(value)}.`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LakehouseError);
  expect([code].flat(), (error as Error).message).toContain((error as LakehouseError).code);
  return error as LakehouseError;
}
