import type { Catalog, CreateTableOptions, Schema, Table } from '@lh/core';

export type Row = Readonly<Record<string, unknown>>;
export type Engine = 'PyIceberg' | 'DuckDB' | 'Spark';
export type Limits = Partial<Record<Engine, string>>;

/** A table that other engines must read, and the rows that they must find. */
export interface InteropTable {
  readonly name: string;
  /** Makes the table, and says what every read of it gives. */
  readonly make: (catalog: Catalog) => Promise<{ readonly table: Table; readonly reads: readonly ExpectedRead[] }>;
  /**
   * Engines that fail on it or read it wrongly, with the reason. The tests expect that they do, so that an engine that
   * has learnt shows.
   */
  readonly cannotRead?: Limits;
  /** The same for equality filters: the engine's plain reads are compared all the same. */
  readonly cannotFilter?: Limits;
}

export interface ExpectedRead {
  readonly name: string;
  /** Null for the current snapshot. */
  readonly snapshotId: bigint | null;
  /** In the form that `toRows()` gives, in any order. */
  readonly rows: readonly Row[];
}

/** The rows of the current snapshot. */
export function current(rows: readonly Row[]): ExpectedRead {
  return { name: 'current', snapshotId: null, rows };
}

/** The rows of an older snapshot. */
export function snapshot(name: string, snapshotId: bigint | null, rows: readonly Row[]): ExpectedRead {
  return { name, snapshotId, rows };
}

export type PlainOptions = Omit<CreateTableOptions, 'schema'> & Pick<InteropTable, 'cannotRead' | 'cannotFilter'>;

/** A table with one append of `rows` and nothing else. */
export function plain(name: string, schema: Schema, rows: readonly Row[], options: PlainOptions = {}): InteropTable {
  const { cannotRead, cannotFilter, ...create } = options;
  return {
    name,
    ...(cannotRead && { cannotRead }),
    ...(cannotFilter && { cannotFilter }),
    make: async (catalog) => {
      const table = await catalog.createTable(['interop', name], { schema, ...create });
      await table.append(rows);
      return { table, reads: [current(rows)] };
    },
  };
}

export function bytes(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}
