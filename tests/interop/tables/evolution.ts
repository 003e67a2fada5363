import { partitionBy, schema, t } from '@lh/core';

import { type InteropTable, current, snapshot } from '../interop-table.ts';

const orders = schema({
  id: t.int().required(),
  customer: t.string().required(),
  amount: t.decimal(10, 2),
  weight: t.float(),
  note: t.string(),
  address: t.struct({ street: t.string(), zip: t.int() }),
  lines: t.list(t.struct({ sku: t.string(), count: t.int() })),
  labels: t.map(t.string(), t.struct({ text: t.string() })),
});

const firstOrders = [
  {
    id: 1,
    customer: 'ann',
    amount: '12.50',
    weight: 1.5,
    note: 'gone soon',
    address: { street: 'Elm', zip: 12345 },
    lines: [{ sku: 'a', count: 2 }],
    labels: new Map([['k', { text: 'v' }]]),
  },
  { id: 2, customer: 'bob', amount: null, weight: null, note: null, address: null, lines: [], labels: new Map() },
];

const schemaEvolution: InteropTable = {
  name: 'schema_evolution',
  make: async (catalog) => {
    const table = await catalog.createTable('interop.schema_evolution', { schema: orders });
    const before = await table.append(firstOrders);
    await table.updateSchema((s) =>
      s
        .updateColumn('id', t.long())
        .updateColumn('weight', t.double())
        .updateColumn('amount', t.decimal(18, 2))
        .renameColumn('customer', 'client')
        .makeOptional('client')
        .deleteColumn('note')
        .addColumn('country', t.string())
        .addColumn('address.city', t.string())
        .renameColumn('address.zip', 'postcode')
        .addColumn('lines.element.price', t.decimal(9, 2))
        .addColumn('labels.value.colour', t.string())
        .moveFirst('country')
        .moveAfter('amount', 'id'),
    );
    const added = {
      country: 'KR',
      id: 9007199254740993n,
      amount: '9999999999999999.99',
      client: null,
      weight: 1e300,
      address: { street: null, postcode: 1, city: 'Seoul' },
      lines: [{ sku: 'b', count: 1, price: '0.99' }],
      labels: new Map([['x', { text: null, colour: 'red' }]]),
    };
    await table.append([added]);
    const rows = [
      {
        country: null,
        id: 1n,
        amount: '12.50',
        client: 'ann',
        weight: 1.5,
        address: { street: 'Elm', postcode: 12345, city: null },
        lines: [{ sku: 'a', count: 2, price: null }],
        labels: new Map([['k', { text: 'v', colour: null }]]),
      },
      { country: null, id: 2n, amount: null, client: 'bob', weight: null, address: null, lines: [], labels: new Map() },
      added,
    ];
    return { table, reads: [current(rows), snapshot('before the evolution', before.snapshotId, firstOrders)] };
  },
};

const droppedAndAddedAgain: InteropTable = {
  name: 'dropped_and_added_again',
  make: async (catalog) => {
    const shape = schema({ id: t.long().required(), status: t.string() });
    const table = await catalog.createTable('interop.dropped_and_added_again', { schema: shape });
    await table.append([{ id: 1n, status: 'old' }]);
    await table.updateSchema((s) => s.deleteColumn('status'));
    await table.updateSchema((s) => s.addColumn('status', t.string()));
    await table.append([{ id: 2n, status: 'new' }]);
    return {
      table,
      reads: [
        current([
          { id: 1n, status: null },
          { id: 2n, status: 'new' },
        ]),
      ],
    };
  },
};

const swappedNames: InteropTable = {
  name: 'swapped_names',
  make: async (catalog) => {
    const shape = schema({ a: t.string(), b: t.string() });
    const table = await catalog.createTable('interop.swapped_names', { schema: shape });
    await table.append([{ a: 'first', b: 'second' }]);
    await table.updateSchema((s) => s.renameColumn('a', 'c'));
    await table.updateSchema((s) => s.renameColumn('b', 'a'));
    await table.updateSchema((s) => s.renameColumn('c', 'b'));
    await table.append([{ b: 'third', a: 'fourth' }]);
    return {
      table,
      reads: [
        current([
          { b: 'first', a: 'second' },
          { b: 'third', a: 'fourth' },
        ]),
      ],
    };
  },
};

function partitionEvolution(formatVersion: 1 | 2): InteropTable {
  const name = `partition_evolution_v${formatVersion}`;
  return {
    name,
    make: async (catalog) => {
      const shape = schema({ id: t.long().required(), ts: t.timestamptz(), city: t.string() });
      const row = (id: number, month: number, day: number, city: string | null) => ({
        id: BigInt(id),
        ts: `2024-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}T01:02:03.000004Z`,
        city,
      });
      const table = await catalog.createTable(['interop', name], {
        schema: shape,
        formatVersion,
        partitionBy: [partitionBy.month('ts')],
      });
      const first = [row(1, 1, 1, 'Seoul'), row(2, 2, 1, null), row(3, 2, 29, 'Busan')];
      const before = await table.append(first);
      await table.updateSpec((p) => p.remove('ts_month').add(partitionBy.day('ts')).add(partitionBy.identity('city')));
      const second = [row(4, 2, 29, 'Busan'), row(5, 3, 1, null)];
      await table.append(second);
      await table.updateSpec((p) => p.remove('city').add(partitionBy.bucket(4, 'id')));
      const third = [row(6, 3, 2, 'Jeju')];
      await table.append(third);
      await table.updateSpec((p) => p.remove('ts_day').remove('id_bucket'));
      const fourth = [row(7, 4, 1, 'Seoul')];
      await table.append(fourth);
      await table.updateSpec((p) => p.add(partitionBy.month('ts')));
      const fifth = [row(8, 4, 2, 'Seoul')];
      await table.append(fifth);
      const rows = [...first, ...second, ...third, ...fourth, ...fifth];
      return { table, reads: [current(rows), snapshot('before the evolution', before.snapshotId, first)] };
    },
  };
}

const renamedPartitionSource: InteropTable = {
  name: 'renamed_partition_source',
  make: async (catalog) => {
    const shape = schema({ id: t.int().required(), city: t.string() });
    const table = await catalog.createTable('interop.renamed_partition_source', {
      schema: shape,
      partitionBy: [partitionBy.identity('city'), partitionBy.bucket(2, 'id')],
    });
    await table.append([
      { id: 1, city: 'Seoul' },
      { id: 2, city: null },
    ]);
    await table.updateSchema((s) => s.renameColumn('city', 'town').updateColumn('id', t.long()));
    await table.append([{ id: 3_000_000_000n, town: 'Busan' }]);
    return {
      table,
      reads: [
        current([
          { id: 1n, town: 'Seoul' },
          { id: 2n, town: null },
          { id: 3_000_000_000n, town: 'Busan' },
        ]),
      ],
    };
  },
};

export const evolutionTables: readonly InteropTable[] = [
  schemaEvolution,
  droppedAndAddedAgain,
  swappedNames,
  partitionEvolution(1),
  partitionEvolution(2),
  renamedPartitionSource,
];
