import { expect, test } from 'vitest';

import { unifiedPartitionType } from '../../src/inspect/partition-union.ts';
import { newTableMetadata } from '../../src/spec/new-table-metadata.ts';
import type { PartitionField } from '../../src/spec/partition-spec.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { parseTransform } from '../../src/spec/transform-text.ts';

const SHAPE = schema({ ts: t.timestamptz(), city: t.string() });

function field(fieldId: number, name: string, transform: string, sourceId = 1): PartitionField {
  return { sourceIds: [sourceId], fieldId, name, transform: parseTransform(transform) };
}

/** The fields of the specs' common struct, the first spec the oldest: `1000 ts_day: date`. */
function unified(...specs: readonly (readonly PartitionField[])[]): readonly string[] {
  const metadata = newTableMetadata({ schema: SHAPE, location: 'memory:/t', uuid: '0-0-0-0-0', nowMs: 0 });
  const partitionSpecs = specs.map((fields, specId) => ({ specId, fields }));
  return unifiedPartitionType({ ...metadata, partitionSpecs }).fields.map(
    ({ id, name, type, required }) => `${id} ${name}: ${type.kind}${required ? ' required' : ''}`,
  );
}

test('fields of all specs, by their ids, under their newest names', () => {
  expect(
    unified([field(1001, 'city', 'identity', 2)], [field(1000, 'd', 'day')], [field(1000, 'ts_day', 'day')]),
  ).toEqual(['1000 ts_day: date', '1001 city: string']);
});

test('a field that v1 keeps as void has the type of what it was', () => {
  expect(unified([field(1000, 'month', 'month')], [field(1000, 'void', 'void')])).toEqual(['1000 void: int']);
  expect(unified([field(1000, 'void', 'void')], [field(1000, 'month', 'month')])).toEqual(['1000 month: int']);
});

test('fields of columns that are gone are left out', () => {
  expect(unified([field(1000, 'old', 'identity', 9)], [field(1001, 'city', 'identity', 2)])).toEqual([
    '1001 city: string',
  ]);
});

test('nothing in common: neither one id for two fields nor values of an unknown type', () => {
  expect(() => unified([field(1000, 'a', 'day')], [field(1000, 'b', 'hour')])).toThrow(/'b' and 'a'/);
  expect(() => unified([field(1000, 'a', 'identity')], [field(1000, 'b', 'identity', 2)])).toThrow(/'b' and 'a'/);
  expect(() => unified([field(1000, 'a', 'zorder[3]')])).toThrow(/'zorder\[3\]', which is not known/);
});
