import { schema, t } from '@lh/core';
import { tableFromArrays } from 'apache-arrow';

import { type InteropTable, type Row, current } from '../interop-table.ts';

const readings = schema({ id: t.long(), sensor: t.string(), value: t.double() });

function arrow(start: number, count: number) {
  const ids = Array.from({ length: count }, (_, i) => start + i);
  // Arrays of strings become dictionary-encoded columns.
  return tableFromArrays({
    id: BigInt64Array.from(ids, BigInt),
    sensor: ids.map((id) => `s${id % 4}`),
    value: Float64Array.from(ids, (id) => id / 8),
  });
}

function rowsOf(start: number, count: number): Row[] {
  return Array.from({ length: count }, (_, i) => ({
    id: BigInt(start + i),
    sensor: `s${(start + i) % 4}`,
    value: (start + i) / 8,
  }));
}

const everyInput: InteropTable = {
  name: 'every_kind_of_input',
  make: async (catalog) => {
    const table = await catalog.createTable('interop.every_kind_of_input', { schema: readings });
    await table.append(rowsOf(0, 3));
    await table.append(arrow(100, 1000));
    await table.append(batches(2000, 5));
    await table.append(generated(5000, 20));
    await table.append(new Set(rowsOf(6000, 2)));
    const rows = [...rowsOf(0, 3), ...rowsOf(100, 1000), ...rowsOf(2000, 500), ...rowsOf(5000, 20), ...rowsOf(6000, 2)];
    return { table, reads: [current(rows)] };
  },
};

async function* batches(start: number, count: number) {
  for (let i = 0; i < count; i++) yield* arrow(start + i * 100, 100).batches;
}

async function* generated(start: number, count: number) {
  yield* rowsOf(start, count);
}

const mergedSchema: InteropTable = {
  name: 'merged_schema',
  make: async (catalog) => {
    const table = await catalog.createTable('interop.merged_schema', { schema: readings });
    await table.append(rowsOf(0, 2));
    await table.append([{ id: 2n, sensor: 's2', value: 1, unit: 'K' }], { mergeSchema: true });
    const old = rowsOf(0, 2).map((row) => ({ ...row, unit: null }));
    return { table, reads: [current([...old, { id: 2n, sensor: 's2', value: 1, unit: 'K' }])] };
  },
};

export const inputTables: readonly InteropTable[] = [everyInput, mergedSchema];
