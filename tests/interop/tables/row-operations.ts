import { type FormatVersion, type Table, type WhenMatched, partitionBy, schema, t } from '@lh/core';

import { type InteropTable, type Row, current } from '../interop-table.ts';

// What deletes, updates, upserts, merges, overwrites and deltas leave behind, in both modes and every format version.

const shape = schema({ id: t.long().required(), city: t.string(), x: t.double() });
const cities = ['Seoul', 'Busan', null];

function row(id: number, city: string | null = cities[id % 3]!, x = id / 2): Row {
  return { id: BigInt(id), city, x };
}

const first = [0, 1, 2, 3, 4, 5].map((id) => row(id));
const second = [6, 7, 8, 9].map((id) => row(id));

type Mode = 'copy-on-write' | 'merge-on-read';

interface Action {
  readonly name: string;
  readonly run: (table: Table, mode: Mode) => Promise<unknown>;
  /** The rows that are left of `first` and `second`. */
  readonly rows: readonly Row[];
  /** Makes equality deletes. */
  readonly deletes?: true;
}

const all = [...first, ...second];
const without = (...ids: readonly number[]): readonly Row[] => all.filter(({ id }) => !ids.includes(Number(id)));

const whenMatched: readonly WhenMatched[] = [
  { if: (_, source) => source['gone'], delete: true },
  { update: { city: (_, source) => source['city'] } },
];

const actions: readonly Action[] = [
  {
    name: 'delete',
    run: async (table, mode) => {
      await table.delete('id IN (1, 7)', { mode });
      await table.delete("city = 'Seoul' AND x >= 3", { mode });
    },
    rows: without(1, 6, 7, 9),
  },
  {
    name: 'update',
    run: (table, mode) => table.update('id >= 5', { city: 'Ulsan', x: (old) => Number(old['x']) + 1 }, { mode }),
    rows: all.map((one) => (Number(one['id']) < 5 ? one : { ...one, city: 'Ulsan', x: Number(one['x']) + 1 })),
  },
  {
    name: 'upsert',
    run: (table, mode) => table.upsert([row(2, 'Ulsan'), row(3), row(11, null)], { on: 'id', mode }),
    rows: [...without(2), row(2, 'Ulsan'), row(11, null)],
  },
  {
    name: 'merge',
    run: (table, mode) =>
      table.merge(
        [
          { id: 0n, gone: true },
          { id: 8n, city: 'Ulsan', gone: false },
          { id: 12n, city: 'Jeju', x: 1, gone: false },
        ],
        { on: 'id', whenMatched, whenNotMatched: 'insert', mode },
      ),
    rows: [...without(0, 8), row(8, 'Ulsan'), row(12, 'Jeju', 1)],
  },
  {
    name: 'overwrite',
    run: (table, mode) => table.overwrite([row(20)], { filter: 'city IS NULL OR id = 9', mode }),
    rows: [...without(2, 5, 8, 9), row(20)],
  },
  {
    name: 'overwrite_partitions',
    run: (table) => table.overwritePartitions([row(21, 'Seoul'), row(22, null)]),
    rows: [...without(0, 2, 3, 5, 6, 8, 9), row(21, 'Seoul'), row(22, null)],
  },
  {
    name: 'row_delta',
    run: async (table) => {
      const keys = [{ id: 0n }, { id: 9n }];
      await table.rowDelta({ rows: [row(0, 'Seoul', 9)], equalityDeletes: { fields: ['id'], rows: keys } });
      const places = await table.scan({ filter: 'id IN (4, 7)', select: ['_file', '_pos'] }).toRows();
      await table.rowDelta({
        positionDeletes: places.map((place) => ({ file: place._file as string, pos: place._pos as bigint })),
      });
    },
    rows: [...without(0, 4, 7, 9), row(0, 'Seoul', 9)],
    deletes: true,
  },
];

function tableOf({ name, run, rows, deletes }: Action, formatVersion: FormatVersion, mode: Mode): InteropTable {
  const full = `${name}_v${formatVersion}_${mode.replaceAll('-', '_')}`;
  return {
    name: full,
    ...(deletes && { cannotRead: { PyIceberg: 'it knows no equality deletes' } }),
    make: async (catalog) => {
      const table = await catalog.createTable(['interop', full], {
        schema: shape,
        formatVersion,
        // DuckDB fails on equality deletes where a partition is null.
        partitionBy: deletes ? [] : [partitionBy.identity('city')],
      });
      await table.append(first);
      await table.append(second);
      await run(table, mode);
      return { table, reads: [current(rows)] };
    },
  };
}

/** Version 1 has no delete files; some actions have one way only. */
function* tables(): Generator<InteropTable> {
  for (const action of actions) {
    for (const formatVersion of [1, 2, 3] as const) {
      if (action.deletes) {
        if (formatVersion > 1) yield tableOf(action, formatVersion, 'merge-on-read');
        continue;
      }
      yield tableOf(action, formatVersion, 'copy-on-write');
      if (formatVersion > 1 && action.name !== 'overwrite_partitions')
        yield tableOf(action, formatVersion, 'merge-on-read');
    }
  }
}

export const rowOperationTables: readonly InteropTable[] = [...tables()];
