import type { Commit, Table, TransactionOptions } from '@lh/core';

/** Rows of the simulated table: a key, which no two rows share, and a number that operations change. */
export interface Row {
  readonly k: number;
  readonly n: number;
}

type Rows = ReadonlyMap<number, number>;

/** Keys below are for upserts to meet on; those from here on are handed out one by one. */
export const OLD_KEYS = 12;

/** One change that a writer wants to make. */
export interface Operation {
  /** Goes into the summary of the snapshots that it makes. */
  readonly id: string;
  readonly kind: string;
  run(table: Table, options: TransactionOptions): Promise<Commit>;
  /** What its snapshots do, in their order; none for a change without a snapshot. */
  readonly effects: readonly ((rows: Rows) => Rows)[];
  /** The column that a change of the schema adds. */
  readonly column?: string;
}

export interface Chance {
  randomInteger(bound: number): number;
}

export interface OperationContext extends Chance {
  readonly formatVersion: number;
  /** Keys that no row has had yet: hands out the next ones. */
  freshKeys(count: number): readonly number[];
}

type Kind = (context: OperationContext, id: string) => Omit<Operation, 'id' | 'kind'>;

const KINDS: Readonly<Record<string, Kind>> = {
  append(context) {
    const rows = freshRows(context);
    return { run: (table, options) => table.append(rows, options), effects: [(before) => plus(before, rows)] };
  },
  update(context) {
    const range = someRange(context);
    const mode = someMode(context);
    return {
      run: (table, options) =>
        table.update(range.filter, { n: (row: Record<string, unknown>) => Number(row['n']) + 1 }, { ...options, mode }),
      effects: [(before) => new Map([...before].map(([k, n]) => [k, range.has(k) ? n + 1 : n]))],
    };
  },
  delete(context) {
    const range = someRange(context);
    const mode = someMode(context);
    return {
      run: (table, options) => table.delete(range.filter, { ...options, mode }),
      effects: [(before) => without(before, range.has)],
    };
  },
  overwrite(context) {
    const range = someRange(context);
    const rows = freshRows(context);
    return {
      run: (table, options) => table.overwrite(rows, { ...options, filter: range.filter }),
      effects: [(before) => plus(without(before, range.has), rows)],
    };
  },
  upsert(context) {
    const rows = [...oldRows(context), ...freshRows(context)];
    const mode = someMode(context);
    return {
      run: (table, options) => table.upsert(rows, { ...options, on: ['k'], mode }),
      effects: [(before) => plus(before, rows)],
    };
  },
  rowDelta(context) {
    const rows = [...oldRows(context), ...freshRows(context)];
    const keys = rows.map(({ k }) => ({ k }));
    return {
      run: (table, options) => table.rowDelta({ rows, equalityDeletes: { fields: ['k'], rows: keys } }, options),
      effects: [(before) => plus(before, rows)],
    };
  },
  transaction(context) {
    const rows = freshRows(context);
    const range = someRange(context);
    return {
      run: (table, options) =>
        table.transaction(async (tx) => {
          await tx.append(rows);
          await tx.delete(range.filter);
        }, options),
      effects: [(before) => plus(before, rows), (before) => without(before, range.has)],
    };
  },
  addColumn(context, id) {
    const column = `c_${id.replaceAll('-', '_')}`;
    return {
      run: (table, options) =>
        table.updateSchema((schema) => schema.addColumn(column, { kind: 'int' }), { signal: options.signal }),
      effects: [],
      column,
    };
  },
};

/** How often each kind is drawn. */
const WEIGHTS: Readonly<Record<string, number>> = {
  append: 4,
  update: 4,
  delete: 2,
  overwrite: 1,
  upsert: 3,
  rowDelta: 2,
  transaction: 1,
  addColumn: 1,
};

export function randomOperation(context: OperationContext, id: string): Operation {
  const drawn = Object.entries(WEIGHTS).flatMap(([kind, weight]) => Array.from({ length: weight }, () => kind));
  let kind = drawn[context.randomInteger(drawn.length)]!;
  // There are no deletes by key in version 1.
  if (kind === 'rowDelta' && context.formatVersion === 1) kind = 'append';
  return { id, kind, ...KINDS[kind]!(context, id) };
}

function freshRows(context: OperationContext): readonly Row[] {
  return context.freshKeys(1 + context.randomInteger(3)).map((k) => ({ k, n: 0 }));
}

/** Rows with keys that may be in the table. */
function oldRows(context: OperationContext): readonly Row[] {
  const keys = new Set(Array.from({ length: context.randomInteger(3) }, () => context.randomInteger(OLD_KEYS)));
  return [...keys].map((k) => ({ k, n: 100 + context.randomInteger(100) }));
}

interface Range {
  readonly filter: string;
  has(k: number): boolean;
}

function someRange(context: OperationContext): Range {
  const from = context.randomInteger(2 * OLD_KEYS);
  const to = from + 1 + context.randomInteger(8);
  return { filter: `k >= ${from} AND k < ${to}`, has: (k) => k >= from && k < to };
}

function someMode(context: OperationContext): 'copy-on-write' | 'merge-on-read' {
  return context.formatVersion === 1 || context.randomInteger(2) === 0 ? 'copy-on-write' : 'merge-on-read';
}

function plus(before: Rows, rows: readonly Row[]): Rows {
  return new Map([...before, ...rows.map(({ k, n }) => [k, n] as const)]);
}

function without(before: Rows, has: (k: number) => boolean): Rows {
  return new Map([...before].filter(([k]) => !has(k)));
}
