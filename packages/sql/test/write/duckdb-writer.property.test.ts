import type { AppendData, DataFile, DataFileWriter, StructType, Table } from '@lh/core';
import { coreWriter } from '@lh/core/engine';
import type { SelfWritingRows } from '@lh/core/engine';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { openWarehouse } from '../support.ts';
import { anyTable } from './arbitrary-tables.ts';
import type { AnyTable } from './arbitrary-tables.ts';

// Whoever writes the files, a table holds the same rows in the same partitions, and its manifests say the same of them.

const { lake, catalog } = await openWarehouse();
let tables = 0;

async function create({ shape, properties, ...rest }: AnyTable): Promise<Table> {
  return catalog.createTable(`ns.t${tables++}`, {
    schema: shape,
    partitionBy: rest.partitionBy,
    sortBy: rest.sortBy,
    properties,
  }) as Promise<Table>;
}

/** Rows without their order, in a form that tells all values apart. */
function sorted(rows: readonly object[]): string[] {
  return rows.map((row) => JSON.stringify(row, tagged)).toSorted();
}

function tagged(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (value instanceof Map) return [...(value as ReadonlyMap<unknown, unknown>)];
  return value;
}

interface Written {
  readonly rows: string[];
  readonly sqlRows: string[];
  /** By partition. */
  readonly files: ReadonlyMap<string, DataFile>;
}

/** A new table with the rows, which `append` gives to the table by a writer that remembers what it made. */
async function written(any: AnyTable, write: Write): Promise<Written> {
  const table = await create(any);
  const files: DataFile[] = [];
  const remember = async (made: Promise<readonly DataFile[]>): Promise<readonly DataFile[]> => {
    files.push(...(await made));
    return files;
  };
  const appended = await write(table, remember);
  return {
    rows: sorted(await appended.scan().toRows()),
    sqlRows: sorted(await (await lake.sql(`SELECT * FROM ${table.name}`)).rows()),
    files: new Map(files.map((file) => [JSON.stringify(file.partition, tagged), file])),
  };
}

type Remember = (made: Promise<readonly DataFile[]>) => Promise<readonly DataFile[]>;
type Write = (table: Table, remember: Remember) => Promise<Table>;

function by(writer: DataFileWriter, data: AppendData): Write {
  return async (table, remember) => {
    const handle = table.withWriter({
      writeDataFiles: (input, options) => remember(writer.writeDataFiles(input, options)),
    });
    await handle.append(data);
    return handle;
  };
}

function byQuery(sql: string): Write {
  return async (table, remember) => {
    const query = lake.query(sql);
    const rows: SelfWritingRows = {
      writeDataFiles: (options) => remember(query.writeDataFiles(options)),
      [Symbol.asyncIterator]: () => query[Symbol.asyncIterator](),
    };
    await table.append(rows);
    return table;
  };
}

const compareBytes = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** The metrics of DuckDB's file against those of core's, with the same rows in both. */
function checkMetrics(shape: StructType, ours: DataFile, core: DataFile): void {
  expect(ours.recordCount).toBe(core.recordCount);
  expect(ours.valueCounts).toEqual(core.valueCounts);
  expect(ours.nullValueCounts).toEqual(core.nullValueCounts);
  expect([...ours.columnSizes!.keys()].toSorted()).toEqual([...core.columnSizes!.keys()].toSorted());
  for (const [id, count] of ours.nanValueCounts!) expect(core.nanValueCounts!.get(id)).toBe(count);
  for (const [id, nans] of core.nanValueCounts!) if (nans === 0) expect(ours.nanValueCounts!.get(id)).toBe(0);
  const texts = new Set(textColumns(shape));
  for (const [bounds, theirs, outwards] of [
    [ours.lowerBounds!, core.lowerBounds!, -1],
    [ours.upperBounds!, core.upperBounds!, 1],
  ] as const) {
    for (const [id, bound] of theirs) {
      const found = bounds.get(id);
      // Of texts of more than 256 bytes, DuckDB has bounds that are cut, or none.
      if (texts.has(id) && bound.length > 256) continue;
      if (found === undefined) expect(texts).toContain(id);
      else if (!isZero(bound)) expect([id, compareBytes(found, bound)]).toEqual([id, 0]);
    }
    for (const [id, bound] of bounds) {
      expect(theirs.has(id)).toBe(true);
      if (texts.has(id)) expect([0, outwards]).toContain(compareBytes(bound, theirs.get(id)!));
    }
  }
}

/** A zero may stand for that of the other sign. */
function isZero(bound: Uint8Array): boolean {
  return bound.every((byte, i) => byte === 0 || (byte === 0x80 && i === bound.length - 1));
}

function textColumns(struct: StructType): number[] {
  return struct.fields.flatMap(({ id, type }) =>
    type.kind === 'struct' ? textColumns(type) : type.kind === 'string' ? [id] : [],
  );
}

test('rows, partitions and metrics are those of core', async () => {
  await fc.assert(
    fc.asyncProperty(anyTable, async (any) => {
      const byCore = await written(any, by(coreWriter, any.rows));
      const writes = [
        by(lake.writer, any.rows),
        by(lake.writer, stream(any.rows)),
        byQuery(`SELECT * FROM ns.t${tables - 1} -- all of it`),
      ];
      for (const write of writes) {
        const byDuckDB = await written(any, write);
        expect(byDuckDB.rows).toEqual(byCore.rows);
        expect(byDuckDB.sqlRows).toEqual(byCore.sqlRows);
        expect([...byDuckDB.files.keys()].toSorted()).toEqual([...byCore.files.keys()].toSorted());
        for (const [key, file] of byDuckDB.files) checkMetrics(any.shape, file, byCore.files.get(key)!);
      }
    }),
    { numRuns: runs(10) },
  );
}, 120_000);

async function* stream<T>(rows: readonly T[]): AsyncGenerator<T> {
  yield* rows;
}
