import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, expect, test } from 'vitest';
import { FileSchemas } from '../../src/relation/file-schema.ts';
import { rejection } from '../support.ts';

const folder = await mkdtemp(join(tmpdir(), 'lh-sql-files-'));
const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
afterAll(async () => {
  connection.closeSync();
  instance.closeSync();
  await rm(folder, { recursive: true, force: true });
});

async function write(name: string, query: string, options = ''): Promise<string> {
  const path = join(folder, name);
  await connection.run(`COPY (${query}) TO '${path}' (FORMAT parquet ${options})`);
  return path;
}

test('a variant that its writer did not call one is not read as a struct', async () => {
  const bytes = `{ 'metadata': '\\x01\\x00\\x00'::BLOB, 'value': '\\x0C\\x05'::BLOB }`;
  const called = await write('called.parquet', 'SELECT 1 AS id, 5::VARIANT AS v, 6::VARIANT AS w');
  const uncalled = await write('uncalled.parquet', `SELECT 1 AS id, ${bytes} AS v`);
  const mixed = await write('mixed.parquet', `SELECT 5::VARIANT AS v, [${bytes}] AS l`);
  const schemas = await new FileSchemas().load(connection, [called, uncalled, mixed]);
  expect([called, uncalled, mixed].map((path) => schemas.get(path) !== null)).toEqual([true, false, false]);
});

test('files of one schema share it', async () => {
  const ids = 'FIELD_IDS { a: 1, s: 2 }';
  const one = await write('one.parquet', "SELECT 1 AS a, { 'x': 1, 'y': [1] } AS s", `, ${ids}`);
  const two = await write('two.parquet', "SELECT 2 AS a, { 'x': 2, 'y': [2] } AS s", `, ${ids}`);
  const three = await write('three.parquet', "SELECT 2 AS a, { 'x': 2, 'y': [2] } AS s");
  const schemas = await new FileSchemas().load(connection, [one, two, three]);
  expect(schemas.get(one)).toBe(schemas.get(two));
  expect(schemas.get(one)!.hasIds).toBe(true);
  expect(schemas.get(three)!.hasIds).toBe(false);
  const missing = join(folder, 'missing.parquet');
  expect(await rejection(new FileSchemas().load(connection, [missing]))).toMatchObject({ code: 'NOT_FOUND' });
});
