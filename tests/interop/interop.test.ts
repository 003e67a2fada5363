import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, type Table } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { canonicalRows } from '../conformance/canonical.ts';
import type { Engine, ExpectedRead, InteropTable } from './interop-table.ts';
import { newestMetadata } from './newest-metadata.ts';
import { python } from './python.ts';
import { evolutionTables } from './tables/evolution.ts';
import { historyTables } from './tables/history.ts';
import { inputTables } from './tables/inputs.ts';
import { partitionTables } from './tables/partitions.ts';
import { typeTables } from './tables/types.ts';
import { v3Tables } from './tables/v3.ts';

const engines: readonly Engine[] = ['PyIceberg', 'DuckDB'];
const groups: Readonly<Record<string, readonly InteropTable[]>> = {
  types: typeTables,
  partitions: partitionTables,
  evolution: evolutionTables,
  history: historyTables,
  inputs: inputTables,
  v3: v3Tables,
};

interface Written {
  readonly table: Table;
  readonly reads: readonly ExpectedRead[];
}

/** What one engine found: the lines of each read, or the error it gave. */
type Found = Readonly<Record<string, { readonly rows?: readonly string[]; readonly error?: string }>>;

let warehouse: string;
const written = new Map<string, Written | Error>();
let found: Readonly<Record<string, Readonly<Record<Engine, Found>>>>;

beforeAll(async () => {
  warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-interop-'));
  const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
  await catalog.createNamespace('interop');
  const questions = [];
  for (const { name, make } of Object.values(groups).flat()) {
    try {
      const result = await make(catalog);
      written.set(name, result);
      const reads = result.reads.map((read) => ({ name: read.name, snapshotId: read.snapshotId?.toString() ?? null }));
      questions.push({ name, metadata: await newestMetadata(result.table.location), reads });
    } catch (error) {
      written.set(name, error as Error);
    }
  }
  found = JSON.parse(await python('read_tables.py', JSON.stringify(questions))) as typeof found;
});

afterAll(() => rm(warehouse, { recursive: true, force: true }));

describe.each(Object.entries(groups))('%s', (_, tables) => {
  describe.each(tables.map((table) => [table.name, table] as const))('%s', (name, { unreadable, unfilterable }) => {
    test('is read back by this library', async () => {
      const { table, reads } = result(name);
      for (const { snapshotId, rows } of reads) {
        const scan = table.scan(snapshotId === null ? {} : { snapshotId });
        expect(canonicalRows(scan.schema, await scan.toRows())).toEqual(canonicalRows(scan.schema, rows));
      }
    });

    for (const engine of engines) {
      const reason = unreadable?.[engine];
      if (reason !== undefined) {
        test(`${engine} can't read it: ${reason}`, () => {
          result(name);
          expect(found[name]?.[engine]['current']?.error).toBeDefined();
        });
        continue;
      }
      test(`${engine} finds the same rows`, () => {
        const { table, reads } = result(name);
        for (const read of reads) {
          const { schema } = table.scan(read.snapshotId === null ? {} : { snapshotId: read.snapshotId });
          expect(found[name]?.[engine][read.name]).toEqual({ rows: canonicalRows(schema, read.rows) });
        }
      });
      const filterReason = unfilterable?.[engine];
      test(`${engine} ${filterReason === undefined ? 'finds every value by a filter' : `can't filter it: ${filterReason}`}`, () => {
        result(name);
        const mismatches = found[name]?.[engine]['filters']?.rows;
        if (filterReason === undefined) expect(mismatches).toEqual([]);
        else expect(mismatches).not.toEqual([]);
      });
    }
  });
});

/** The table by that name, or the error that stopped it from being written. */
function result(name: string): Written {
  const outcome = written.get(name);
  if (outcome instanceof Error) throw outcome;
  if (outcome === undefined) throw new Error(`${name} was not written`);
  return outcome;
}
