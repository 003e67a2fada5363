import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  FileSystemCatalog,
  type IcebergType,
  type Literal,
  type StructType,
  type Table,
  type TypeKind,
  expr,
} from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { canonicalRows } from '../conformance/canonical.ts';
import type { Engine, ExpectedRead, InteropTable, Row } from './interop-table.ts';
import { newestMetadata } from './newest-metadata.ts';
import { python } from './python.ts';
import { addedFileTables } from './tables/added-files.ts';
import { compactionTables } from './tables/compaction.ts';
import { duckdbTables } from './tables/by-duckdb.ts';
import { evolutionTables } from './tables/evolution.ts';
import { historyTables } from './tables/history.ts';
import { inputTables } from './tables/inputs.ts';
import { partitionTables } from './tables/partitions.ts';
import { rowOperationTables } from './tables/row-operations.ts';
import { sqlDdlTables } from './tables/sql-ddl.ts';
import { sqlInsertTables } from './tables/sql-insert.ts';
import { sqlRowChangeTables } from './tables/sql-row-changes.ts';
import { typeTables } from './tables/types.ts';
import { upkeepTables } from './tables/upkeep.ts';
import { v3Tables } from './tables/v3.ts';

const engines = (process.env['INTEROP_ENGINES'] ?? '').split(',') as readonly Engine[];
const groups: Readonly<Record<string, readonly InteropTable[]>> = {
  types: typeTables,
  partitions: partitionTables,
  evolution: evolutionTables,
  history: historyTables,
  inputs: inputTables,
  v3: v3Tables,
  'row operations': rowOperationTables,
  'written by DuckDB': duckdbTables,
  'added files': addedFileTables,
  upkeep: upkeepTables,
  compaction: compactionTables,
  'inserted by SQL': sqlInsertTables,
  'changed by SQL': sqlRowChangeTables,
  'defined by SQL': sqlDdlTables,
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
      const made = await make(catalog);
      written.set(name, made);
      const reads = made.reads.map((read) => ({ name: read.name, snapshotId: read.snapshotId?.toString() ?? null }));
      questions.push({ name, metadata: await newestMetadata(made.table.location), reads });
    } catch (error) {
      written.set(name, error as Error);
    }
  }
  found = JSON.parse(await python('read_tables.py', JSON.stringify(questions))) as typeof found;
});

afterAll(() => rm(warehouse, { recursive: true, force: true }));

describe.each(Object.entries(groups))('%s', (_, tables) => {
  describe.each(tables.map((table) => [table.name, table] as const))('%s', (name, { cannotRead, cannotFilter }) => {
    test('this library reads it back', async () => {
      const { table, reads } = result(name);
      for (const read of reads) {
        const scan = scanOf(table, read);
        expect(lines(scan.schema, await scan.toRows())).toEqual(expectedRows(table, read));
      }
    });

    test('this library finds every value by a filter', async () => {
      const { table, reads } = result(name);
      const rows = reads.find((read) => read.snapshotId === null)?.rows ?? [];
      for (const { name: column } of table.schema.fields.filter((field) => isFilterable(field.type))) {
        const values = rows.map((row) => row[column] as Literal | null).filter((value) => value !== null);
        for (const value of [...new Set(values)].filter((one) => !Number.isNaN(one)).slice(0, 12)) {
          const matching = await table.scan({ filter: expr.eq(column, value) }).count();
          expect([column, value, matching]).toEqual([column, value, values.filter((one) => one === value).length]);
        }
      }
    });

    for (const engine of engines) {
      const answers = () => found[name]?.[engine];
      const given = (): Found =>
        Object.fromEntries(Object.entries(answers() ?? {}).filter(([read]) => read !== 'filters'));
      const expected = () => {
        const { table, reads } = result(name);
        return Object.fromEntries(reads.map((read) => [read.name, { rows: expectedRows(table, read) }]));
      };
      const reason = cannotRead?.[engine];
      if (reason !== undefined) {
        test(`${engine} can't read it: ${reason}`, () => {
          expect(given()).not.toEqual(expected());
        });
        continue;
      }
      test(`${engine} finds the same rows`, () => {
        expect(given()).toEqual(expected());
      });
      const filterReason = cannotFilter?.[engine];
      test(`${engine} ${filterReason === undefined ? 'finds every value by a filter' : `can't filter it: ${filterReason}`}`, () => {
        result(name);
        if (filterReason === undefined) expect(answers()?.['filters']).toEqual({ rows: [] });
        else expect(answers()?.['filters']).not.toEqual({ rows: [] });
      });
    }
  });
});

/** The rows' canonical lines, with variants as their JSON text: DuckDB gives nothing else. */
function lines(schema: StructType, rows: readonly Row[]): string[] {
  const variants = schema.fields.filter((field) => field.type.kind === 'variant').map((field) => field.name);
  const fields = schema.fields.map((field) =>
    variants.includes(field.name) ? { ...field, type: { kind: 'string' } as const } : field,
  );
  const texts = (row: Row) => variants.map((name) => [name, JSON.stringify(row[name])]);
  return canonicalRows(
    { kind: 'struct', fields },
    rows.map((row) => ({ ...row, ...Object.fromEntries(texts(row)) })),
  );
}

function scanOf(table: Table, { snapshotId }: ExpectedRead) {
  return table.scan(snapshotId === null ? {} : { snapshotId });
}

function expectedRows(table: Table, read: ExpectedRead): string[] {
  return lines(scanOf(table, read).schema, read.rows);
}

const FILTERABLE = new Set<TypeKind>([
  'boolean',
  'int',
  'long',
  'double',
  'decimal',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'string',
  'uuid',
]);

function isFilterable({ kind }: IcebergType): boolean {
  return FILTERABLE.has(kind);
}

/** The table by that name, or the error that stopped it from being written. */
function result(name: string): Written {
  const outcome = written.get(name);
  if (outcome instanceof Error) throw outcome;
  if (outcome === undefined) throw new Error(`${name} was not written`);
  return outcome;
}
