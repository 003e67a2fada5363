import { Int32, Table as ArrowTable, Utf8, tableFromArrays, vectorFromArray } from 'apache-arrow';
import type { RecordBatch } from 'apache-arrow';
import { expect, test } from 'vitest';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { expectError, newTable } from './support.ts';

const shape = schema({ id: t.long().required(), geo: t.struct({ lat: t.double() }) });

function batchOf(ids: readonly number[]): RecordBatch {
  const id = vectorFromArray(ids, new Int32());
  const note = vectorFromArray(
    ids.map((n) => `n${n}`),
    new Utf8(),
  );
  return new ArrowTable({ id, note }).batches[0]!;
}

test('new columns, nested ones too, come with the rows in one commit', async () => {
  const table = await newTable({ schema: shape });
  await table.append([{ id: 1n, geo: { lat: 1 } }]);
  const commit = await table.append([{ id: 2n, geo: { lat: 2, lon: 3 }, tags: ['a'], seen: new Date(0) }], {
    mergeSchema: true,
  });
  expect(commit.attempts).toBe(1);
  expect(table.metadata.metadataLog).toHaveLength(2);
  expect(table.metadata.schemas).toHaveLength(2);
  expect(table.schema.fields.map((field) => [field.id, field.name, field.type.kind])).toEqual([
    [1, 'id', 'long'],
    [2, 'geo', 'struct'],
    [5, 'tags', 'list'],
    [7, 'seen', 'timestamptz'],
  ]);
  expect(table.currentSnapshot()!.schemaId).toBe(table.schema.schemaId);
  expect(await table.scan({ filter: 'id = 1' }).toRows()).toEqual([
    { id: 1n, geo: { lat: 1, lon: null }, tags: null, seen: null },
  ]);
  expect(await table.scan({ filter: 'id = 2' }).toRows()).toEqual([
    { id: 2n, geo: { lat: 2, lon: 3 }, tags: ['a'], seen: '1970-01-01T00:00:00.000000Z' },
  ]);
});

test('data without new columns leaves the schema alone, and so does data without rows', async () => {
  const table = await newTable({ schema: shape });
  await table.append([{ id: 1n }], { mergeSchema: true });
  expect(table.metadata.schemas).toHaveLength(1);
  const empty = tableFromArrays({ id: new Int32Array(), extra: new Float64Array() });
  expect(await table.append(empty, { mergeSchema: true })).toMatchObject({ changed: false });
  expect((await table.refresh()).metadata.schemas).toHaveLength(1);
});

test('columns that are known keep their type; values that do not fit are refused', async () => {
  const table = await newTable({ schema: shape });
  await expectError(table.append([{ id: 'one', extra: 1 }], { mergeSchema: true }), 'INVALID_ARGUMENT', /id/);
  await expectError(table.append([{ extra: 1 }], { mergeSchema: true }), 'INVALID_ARGUMENT', /id/);
  expect((await table.refresh()).schema.fields).toHaveLength(2);
});

test('without mergeSchema a new column is refused', async () => {
  const table = await newTable({ schema: shape });
  await expectError(table.append(batchOf([1, 2])), 'INVALID_ARGUMENT', /note/);
  await table.append(batchOf([1, 2]), { mergeSchema: true });
  expect(await table.scan({ filter: 'id = 2' }).toRows()).toEqual([{ id: 2n, geo: null, note: 'n2' }]);
});

test('a stream of batches is peeked at, not read twice', async () => {
  const table = await newTable({ schema: shape });
  let started = 0;
  async function* batches(): AsyncGenerator<RecordBatch> {
    started++;
    for (let i = 0; i < 5; i++) yield batchOf([i * 2, i * 2 + 1]);
  }
  await table.append(batches(), { mergeSchema: true });
  expect(started).toBe(1);
  expect(await table.scan().count()).toBe(10);
  expect(await table.scan({ filter: "note = 'n7'", select: ['id'] }).toRows()).toEqual([{ id: 7n }]);
});

test('merges follow what the transaction did before', async () => {
  const table = await newTable({ schema: shape });
  await table.transaction(async (tx) => {
    tx.updateSchema((s) => s.addColumn('a', t.int()));
    await tx.append([{ id: 1n, a: 1, b: 'x' }], { mergeSchema: true });
    await tx.append([{ id: 2n, a: 2, b: 'y', c: true }], { mergeSchema: true });
    expect(tx.schema.fields.map((field) => field.name)).toEqual(['id', 'geo', 'a', 'b', 'c']);
  });
  expect((await table.scan().toRows()).toSorted((x, y) => Number(x.id - y.id))).toEqual([
    { id: 1n, geo: null, a: 1, b: 'x', c: null },
    { id: 2n, geo: null, a: 2, b: 'y', c: true },
  ]);
});
