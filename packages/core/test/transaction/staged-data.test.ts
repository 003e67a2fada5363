import { describe, expect, test } from 'vitest';
import { newTableMetadata } from '../../src/spec/new-table-metadata.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';
import type { NestedField } from '../../src/spec/types.ts';
import { checkStagedData } from '../../src/transaction/staged-data.ts';
import type { StagedData } from '../../src/transaction/staged-data.ts';

const metadata: TableMetadata = newTableMetadata({
  schema: schema({ id: t.long().required(), city: t.string(), geo: t.struct({ lat: t.double() }) }),
  partitionBy: [partitionBy.identity('city')],
  location: '/t',
  uuid: '9c12d441-03fe-4693-9a96-a0705ddf69c1',
  nowMs: 0,
});
const before = metadata.schemas[0]!;
const staged: StagedData = { files: [], schema: before, spec: metadata.partitionSpecs[0]!, lastColumnId: 4 };

const withFields = (...fields: readonly NestedField[]): Schema => ({ ...before, fields });
const [id, city, geo] = before.fields as [NestedField, NestedField, NestedField];
const added: NestedField = { id: 5, name: 'extra', required: false, type: { kind: 'int' } };
const check = (schemaNow: Schema, data: StagedData = staged): void =>
  checkStagedData(metadata, schemaNow, data, 'db.t');

describe('files fit a schema', () => {
  test('that is the same, or has columns renamed, dropped, promoted, moved or added', () => {
    check(before);
    check(withFields(geo, { ...city, name: 'town' }));
    check(withFields(id, added));
    check(withFields(id, { ...added, required: true, initialDefault: 5 }));
    check(withFields({ ...id, required: false }, city));
  });

  test('with required columns inside a new struct', () => {
    const inner: NestedField = { ...added, id: 6, name: 'inner', required: true };
    check(withFields(id, { ...added, type: { kind: 'struct', fields: [inner] } }));
  });

  test('unless a column became required, or a required one without a default was added', () => {
    expect(() => check(withFields(id, { ...city, required: true }))).toThrow(/column 'city' is required now/);
    expect(() => check(withFields(id, { ...added, required: true }))).toThrow(/required column 'extra' was added/);
    const lon: NestedField = { id: 5, name: 'lon', required: true, type: { kind: 'double' } };
    expect(() => check(withFields(id, { ...geo, type: { kind: 'struct', fields: [lon] } }))).toThrow(
      /'geo.lon' was added/,
    );
  });

  test('of columns that come with the same transaction only under the very same id', () => {
    const merged: StagedData = { ...staged, schema: withFields(id, city, geo, added) };
    check(withFields(id, city, geo, added), merged);
    expect(() => check(withFields(id, city, geo, { ...added, name: 'other' }), merged)).toThrow(/another id/);
    expect(() => check(withFields(id, city, geo, { ...added, type: { kind: 'long' } }), merged)).toThrow(/another id/);
    expect(() => check(before, merged)).toThrow(/another id/);
    // What was committed before may have been renamed.
    check(withFields(id, city, geo, { ...added, name: 'other' }), { ...merged, lastColumnId: 5 });
  });
});

test('files keep their spec, which must still be there', () => {
  const [field] = staged.spec.fields;
  const spec = { specId: 0, fields: [{ ...field!, transform: { kind: 'bucket', buckets: 4 } as const }] };
  expect(() => check(before, { ...staged, spec })).toThrow(/spec 0 is another one/);
  expect(() => check(before, { ...staged, spec: { ...staged.spec, specId: 1 } })).toThrow(/spec 1 is gone/);
});

test('what does not fit is a conflict', () => {
  expect(() => check(withFields(id, { ...city, required: true }))).toThrow(
    expect.objectContaining({ code: 'COMMIT_CONFLICT' }),
  );
});
