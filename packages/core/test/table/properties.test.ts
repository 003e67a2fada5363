import { expect, test } from 'vitest';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { expectError, newTable } from './support.ts';

const shape = schema({ id: t.long().required(), city: t.string(), ts: t.timestamptz() });

test('properties are set and removed; those that say nothing new change nothing', async () => {
  const table = await newTable({ schema: shape, properties: { a: '1' } });
  expect(await table.setProperties({ a: '2', b: '3' })).toMatchObject({ changed: true, snapshotId: null, attempts: 1 });
  expect(table.properties).toMatchObject({ a: '2', b: '3' });
  expect(await table.setProperties({ a: '2' })).toMatchObject({ changed: false });
  await table.removeProperties(['a', 'never-set']);
  expect(table.properties).not.toHaveProperty('a');
  expect(await table.removeProperties(['a'])).toMatchObject({ changed: false });
});

test('bad values of known properties are refused, unknown ones kept', async () => {
  const table = await newTable({ schema: shape });
  await expectError(table.setProperties({ 'write.target-file-size-bytes': 'big' }), 'INVALID_ARGUMENT');
  await expectError(table.setProperties({ 'format-version': '3' }), 'INVALID_ARGUMENT', /upgradeFormatVersion/);
  await expectError(table.setProperties({ n: 5 as unknown as string }), 'INVALID_ARGUMENT');
  await table.setProperties({ 'write.of-another-engine': 'big' });
  expect(table.properties['write.of-another-engine']).toBe('big');
});

test('the format version goes up only', async () => {
  const table = await newTable({ schema: shape, formatVersion: 1 });
  await table.append([{ id: 1n }]);
  await table.upgradeFormatVersion(2);
  await table.append([{ id: 2n }]);
  expect(await table.upgradeFormatVersion(2)).toMatchObject({ changed: false });
  await table.upgradeFormatVersion(3);
  expect(table.metadata.nextRowId).toBe(0n);
  await table.append([{ id: 3n }]);
  // Rows from before the upgrade get ids with the first commit after it (spec: "Row Lineage for Upgraded Tables").
  expect(table.metadata.nextRowId).toBe(3n);
  expect(
    table.snapshots().map((snapshot) => [snapshot.sequenceNumber, snapshot.firstRowId, snapshot.addedRows]),
  ).toEqual([
    [0n, null, null],
    [1n, null, null],
    [2n, 0n, 3n],
  ]);
  const rows = await table.scan({ select: ['id', '_row_id'] }).toRows();
  expect(new Set(rows.map((row) => row['_row_id']))).toEqual(new Set([0n, 1n, 2n]));
  await expectError(table.upgradeFormatVersion(2), 'INVALID_ARGUMENT');
  await expectError(table.upgradeFormatVersion(4 as 3), 'INVALID_ARGUMENT');
});

test('the sort order is a default for writers', async () => {
  const table = await newTable({ schema: shape });
  await table.updateSortOrder(['city', { field: 'ts', direction: 'desc', nulls: 'first' }]);
  expect(table.sortOrder).toEqual({
    orderId: 1,
    fields: [
      { sourceIds: [2], transform: { kind: 'identity' }, direction: 'asc', nullOrder: 'nulls-first' },
      { sourceIds: [3], transform: { kind: 'identity' }, direction: 'desc', nullOrder: 'nulls-first' },
    ],
  });
  expect(await table.updateSortOrder(['city', { field: 'ts', direction: 'desc', nulls: 'first' }])).toMatchObject({
    changed: false,
  });
  await table.append([
    { id: 1n, city: 'Oslo' },
    { id: 2n, city: 'Bonn' },
  ]);
  expect((await table.scan().toRows()).map((row) => row['city'])).toEqual(['Bonn', 'Oslo']);
  await table.updateSortOrder([]);
  expect(table.sortOrder.fields).toEqual([]);
  await expectError(table.updateSortOrder(['nope']), 'INVALID_ARGUMENT');
});

test('properties that name a column follow its name', async () => {
  const table = await newTable({
    schema: shape,
    properties: {
      'write.metadata.metrics.column.city': 'full',
      'write.metadata.metrics.column.ts': 'none',
      'schema.name-mapping.default': '[{"field-id": 1, "names": ["id"]}, {"field-id": 2, "names": ["city"]}]',
    },
  });
  await table.updateSchema((s) => s.renameColumn('city', 'town').deleteColumn('ts'));
  expect(table.properties['write.metadata.metrics.column.town']).toBe('full');
  expect(table.properties).not.toHaveProperty('write.metadata.metrics.column.city');
  expect(table.properties).not.toHaveProperty('write.metadata.metrics.column.ts');
  expect(JSON.parse(table.properties['schema.name-mapping.default']!)).toContainEqual({
    'field-id': 2,
    names: ['city', 'town'],
  });
});
