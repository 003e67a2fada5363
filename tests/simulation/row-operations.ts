import type { Table } from '@lh/core';

import type { Draft, OperationContext } from './operation.ts';
import { inserted, rewritten, updated, upserted, without } from './rows.ts';
import type { Row } from './rows.ts';

/** Keys below are for upserts to meet on; those from here on are handed out one by one. */
export const OLD_KEYS = 12;

export type RowKind = keyof typeof ROW_OPERATIONS;

export const ROW_OPERATIONS = {
  append(context) {
    const rows = freshRows(context);
    return {
      run: (table, options) => table.append(rows, options),
      effects: [(before, made) => inserted(before, rows, made)],
    };
  },
  update(context) {
    const range = someRange(context);
    const mode = someMode(context);
    return {
      run: (table, options) =>
        table.update(
          range.filter,
          { n: (row: Record<string, unknown>) => Number(row['n']) + 1 },
          { ...options, mode: mode(table) },
        ),
      effects: [(before, made) => updated(before, (k, n) => (range.has(k) ? n + 1 : n), made)],
      mayDoNothing: true,
    };
  },
  delete(context) {
    const range = someRange(context);
    const mode = someMode(context);
    return {
      run: (table, options) => table.delete(range.filter, { ...options, mode: mode(table) }),
      effects: [(before) => without(before, range.has)],
      mayDoNothing: true,
    };
  },
  overwrite(context) {
    const range = someRange(context);
    const rows = freshRows(context);
    const mode = someMode(context);
    return {
      run: (table, options) => table.overwrite(rows, { ...options, filter: range.filter, mode: mode(table) }),
      effects: [(before, made) => inserted(without(before, range.has), rows, made)],
    };
  },
  overwritePartitions(context) {
    const rows = freshRows(context);
    const mode = someMode(context);
    return {
      run: (table, options) => table.overwritePartitions(rows, { ...options, mode: mode(table) }),
      effects: [
        (before, made) => {
          const { partitionWidth: width } = made;
          const key = (k: number): number => (width === null ? 0 : Math.floor(k / width));
          const replaced = new Set(rows.map(({ k }) => key(k)));
          return inserted(
            without(before, (k) => replaced.has(key(k))),
            rows,
            made,
          );
        },
      ],
      ownKey: rows[0]!.k,
    };
  },
  upsert(context) {
    const rows = [...oldRows(context), ...freshRows(context)];
    const mode = someMode(context);
    return {
      run: (table, options) => table.upsert(rows, { ...options, on: ['k'], mode: mode(table) }),
      effects: [(before, made) => upserted(before, rows, made)],
      mayDoNothing: true,
    };
  },
  merge(context) {
    const changes = [...oldRows(context), ...oldRows(context), ...freshRows(context)]
      .filter(({ k }, i, all) => all.findIndex((other) => other.k === k) === i)
      .map((row) => ({ ...row, gone: context.randomInteger(3) === 0 }));
    const mode = someMode(context);
    return {
      run: (table, options) =>
        table.merge<(typeof changes)[number]>(changes, {
          ...options,
          on: ['k'],
          mode: mode(table),
          whenMatched: [
            { if: (_, source) => source.gone, delete: true },
            { update: { n: (row, source) => Number(row['n']) + Number(source.n as number | bigint) } },
          ],
          whenNotMatched: {
            if: (source) => !source.gone,
            insert: { k: (source) => source.k, n: (source) => source.n },
          },
        }),
      effects: [
        (before, made) => {
          const byKey = new Map(changes.map((change) => [change.k, change]));
          const left = without(before, (k) => byKey.get(k)?.gone === true);
          const missing = changes.filter(({ k, gone }) => !gone && !before.has(k));
          return inserted(
            updated(left, (k, n) => n + (byKey.get(k)?.n ?? 0), made),
            missing,
            made,
          );
        },
      ],
      mayDoNothing: true,
    };
  },
  rowDelta(context) {
    const rows = [...oldRows(context), ...freshRows(context)];
    const keys = rows.map(({ k }) => ({ k }));
    return {
      // There are no deletes by key in version 1.
      run: (table, options) =>
        table.formatVersion === 1
          ? table.overwrite(rows, { ...options, filter: `k IN (${keys.map(({ k }) => k).join()})` })
          : table.rowDelta({ rows, equalityDeletes: { fields: ['k'], rows: keys } }, options),
      effects: [
        (before, made) =>
          inserted(
            without(before, (k) => keys.some((key) => key.k === k)),
            rows,
            made,
          ),
      ],
    };
  },
  transaction(context) {
    const rows = freshRows(context);
    const range = someRange(context);
    const mode = someMode(context);
    return {
      run: (table, options) =>
        table.transaction(async (tx) => {
          await tx.append(rows);
          await tx.delete(range.filter, { mode: mode(table) });
        }, options),
      effects: [
        (before, made) => inserted(before, rows, made),
        (before) => rewritten(without(before, range.has), rows),
      ],
    };
  },
} satisfies Record<string, (context: OperationContext) => Draft>;

function freshRows(context: OperationContext): readonly Row[] {
  return context.freshKeys(1 + context.randomInteger(5)).map((k) => ({ k, n: 0 }));
}

/** Rows with keys that may be in the table. */
function oldRows(context: OperationContext): readonly Row[] {
  const keys = new Set(Array.from({ length: context.randomInteger(3) }, () => context.randomInteger(OLD_KEYS)));
  return [...keys].map((k) => ({ k, n: 100 + context.randomInteger(100) }));
}

interface Range {
  readonly filter: string;
  has(this: void, k: number): boolean;
}

function someRange(context: OperationContext): Range {
  const from = context.randomInteger(2 * OLD_KEYS);
  const to = from + 1 + context.randomInteger(8);
  return { filter: `k >= ${from} AND k < ${to}`, has: (k) => k >= from && k < to };
}

/** Tables of version 1 have no delete files. One that is seen to be of a later version stays so. */
function someMode(context: OperationContext): (table: Table) => 'copy-on-write' | 'merge-on-read' {
  const drawn = !context.onlyDeleteFiles && context.randomInteger(2) === 0 ? 'copy-on-write' : 'merge-on-read';
  return (table) => (table.formatVersion === 1 ? 'copy-on-write' : drawn);
}
