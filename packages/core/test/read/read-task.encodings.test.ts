import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { Schema } from '../../src/spec/schema.ts';
import type { IcebergType, NestedField } from '../../src/spec/types.ts';
import { read } from '../write/support.ts';
import { taskOfBytes } from './avro-support.ts';

const fileOf = (name: string): Promise<Buffer> => readFile(new URL(`files/parquet/${name}`, import.meta.url));
const rows = JSON.parse((await fileOf('rows.json')).toString()) as unknown[][];

const field = (id: number, name: string, type: IcebergType): NestedField => ({ id, name, required: false, type });
const list = (elementId: number, kind: 'long' | 'string'): IcebergType => {
  return { kind: 'list', elementId, elementRequired: false, element: { kind } };
};
const decimal = (precision: number, scale: number): IcebergType => ({ kind: 'decimal', precision, scale });

const shape: Schema = {
  kind: 'struct',
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    field(1, 'i32', { kind: 'int' }),
    field(2, 'i64', { kind: 'long' }),
    field(3, 'f32', { kind: 'float' }),
    field(4, 'f64', { kind: 'double' }),
    field(5, 'str', { kind: 'string' }),
    field(6, 'bin', { kind: 'binary' }),
    field(7, 'fix', { kind: 'fixed', length: 5 }),
    field(8, 'bool', { kind: 'boolean' }),
    field(9, 'd9', decimal(9, 2)),
    field(10, 'd18', decimal(18, 2)),
    field(11, 'd38', decimal(38, 4)),
    field(12, 'date', { kind: 'date' }),
    field(13, 'tus', { kind: 'timestamp' }),
    field(14, 'li', list(21, 'long')),
    field(15, 'ls', list(22, 'string')),
    field(16, 'st', { kind: 'struct', fields: [field(23, 'a', { kind: 'int' }), field(24, 'b', { kind: 'string' })] }),
  ],
};

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === 'bigint' ? String(value) : value;
}

test.each(['brotli-dict-v2', 'gzip-bss-v1', 'lz4-plain-v1', 'zstd-delta-v2'])('%s', async (name) => {
  const { io, task } = await taskOfBytes(new Uint8Array(await fileOf(`${name}.parquet`)), 'parquet', shape);
  expect(plain(await read(io, task, { batchSize: 64 }))).toEqual(rows);
});
