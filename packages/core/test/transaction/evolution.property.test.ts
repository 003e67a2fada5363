import fc, { type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { isLakehouseError } from '../../src/errors.ts';
import { applyUpdates } from '../../src/spec/apply-updates.ts';
import { currentSchema, currentSpec } from '../../src/spec/metadata-accessors.ts';
import { newTableMetadata } from '../../src/spec/new-table-metadata.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t, type ColumnType } from '../../src/spec/schema-builder.ts';
import { indexById } from '../../src/spec/schema-fields.ts';
import type { FormatVersion, TableMetadata } from '../../src/spec/table-metadata.ts';
import { parseTableMetadata, serializeTableMetadata } from '../../src/spec/table-metadata-json.ts';
import { transformToText } from '../../src/spec/transform-text.ts';
import { typeToText } from '../../src/spec/type-text.ts';
import { SchemaUpdate } from '../../src/transaction/update-schema.ts';
import { SpecUpdate } from '../../src/transaction/update-spec.ts';

type SchemaStep = readonly [string, (update: SchemaUpdate) => unknown];
type SpecStep = readonly [string, (update: SpecUpdate) => unknown];

const TYPES: readonly (() => ColumnType)[] = [
  () => t.int(),
  () => t.long(),
  () => t.float(),
  () => t.string(),
  () => t.decimal(9, 2),
  () => t.date(),
  () => t.struct({ x: t.int(), y: t.list(t.int()) }),
  () => t.list(t.struct({ x: t.int() })),
  () => t.map(t.string(), t.struct({ x: t.int() })),
];
const WIDER: readonly (() => ColumnType)[] = [
  () => t.long(),
  () => t.double(),
  () => t.decimal(18, 2),
  () => t.timestamp(),
];

const leaf = fc.constantFrom('a', 'b', 'c', 'x', 'y', 'Z');
const name = fc.oneof(
  { weight: 3, arbitrary: leaf },
  { weight: 1, arbitrary: fc.tuple(leaf, leaf).map((parts) => parts.join('.')) },
);
const type = fc.constantFrom(...TYPES);

/** Steps at random: many are refused, which is part of the law. */
const schemaStep: Arbitrary<SchemaStep> = fc.oneof(
  fc
    .tuple(name, type, fc.boolean())
    .map(([column, make, required]): SchemaStep => [
      `add ${column}`,
      (s) => s.addColumn(column, required ? make().required() : make()),
    ]),
  name.map((column): SchemaStep => [`delete ${column}`, (s) => s.deleteColumn(column)]),
  fc
    .tuple(name, leaf)
    .map(([column, to]): SchemaStep => [`rename ${column} to ${to}`, (s) => s.renameColumn(column, to)]),
  fc
    .tuple(name, fc.constantFrom(...WIDER))
    .map(([column, make]): SchemaStep => [`widen ${column}`, (s) => s.updateColumn(column, make())]),
  name.map((column): SchemaStep => [`relax ${column}`, (s) => s.makeOptional(column)]),
  name.map((column): SchemaStep => [`first ${column}`, (s) => s.moveFirst(column)]),
  fc
    .tuple(name, name)
    .map(([column, other]): SchemaStep => [`${column} after ${other}`, (s) => s.moveAfter(column, other)]),
  fc
    .array(leaf, { maxLength: 2 })
    .map((names): SchemaStep => [`identify by ${names.join(',')}`, (s) => s.setIdentifierFields(names)]),
  fc
    .tuple(leaf, type)
    .map(([column, make]): SchemaStep => [`union ${column}`, (s) => s.unionByName(schema({ [column]: make() }))]),
);

const field = fc.oneof(
  fc
    .constantFrom('identity', 'day', 'month', 'hour')
    .chain((kind) => leaf.map((column) => partitionBy[kind as 'identity'](column))),
  fc.tuple(fc.constantFrom(2, 4), leaf).map(([buckets, column]) => partitionBy.bucket(buckets, column)),
  leaf.map((column) => partitionBy.truncate(2, column)),
);

const specStep: Arbitrary<SpecStep> = fc.oneof(
  {
    weight: 3,
    arbitrary: field.map((input): SpecStep => [
      `add ${input.column} ${transformToText(input.transform)}`,
      (s) => s.add(input),
    ]),
  },
  {
    weight: 1,
    arbitrary: field.map((input): SpecStep => [
      `remove ${input.column} ${transformToText(input.transform)}`,
      (s) => s.remove(input),
    ]),
  },
  {
    weight: 1,
    arbitrary: fc.nat(3).map((i): SpecStep => [
      `remove #${i}`,
      (s) => {
        const names = s
          .apply()
          .fields.filter(({ transform }) => transform.kind !== 'void')
          .map((one) => one.name);
        if (names.length > 0) s.remove(names[i % names.length]!);
      },
    ]),
  },
);

type Commit = { readonly schema: readonly SchemaStep[] } | { readonly spec: readonly SpecStep[] };

const commits: Arbitrary<readonly Commit[]> = fc.array(
  fc.oneof(
    fc.record({ schema: fc.array(schemaStep, { minLength: 1, maxLength: 4 }) }),
    fc.record({ spec: fc.array(specStep, { minLength: 1, maxLength: 3 }) }),
  ),
  { maxLength: 12 },
);

const context = { nowMs: 1, baseMetadataLocation: null };

/** The table after a commit, or as it was if the commit is refused. */
function commit(metadata: TableMetadata, change: Commit): TableMetadata {
  try {
    if ('schema' in change) {
      const update = new SchemaUpdate(metadata);
      for (const [, step] of change.schema) step(update);
      return applyUpdates(
        metadata,
        [
          { action: 'add-schema', schema: update.apply().schema },
          { action: 'set-current-schema', schemaId: -1 },
        ],
        context,
      );
    }
    const update = new SpecUpdate(metadata);
    for (const [, step] of change.spec) step(update);
    return applyUpdates(
      metadata,
      [
        { action: 'add-spec', spec: update.apply() },
        { action: 'set-default-spec', specId: -1 },
      ],
      context,
    );
  } catch (error) {
    if (isLakehouseError(error, 'INVALID_ARGUMENT') || isLakehouseError(error, 'UNSUPPORTED')) return metadata;
    throw error;
  }
}

/** All that an id may ever mean: a kind of place in the schema, with types that files of any age can be read as. */
const FAMILIES: Readonly<Record<string, string>> = { long: 'int', double: 'float', timestamp: 'date' };

describe.each([1, 2, 3] as const)('any sequence of changes, format version %i', (formatVersion: FormatVersion) => {
  it('keeps ids unique, with one meaning, and what depends on columns whole', () => {
    fc.assert(
      fc.property(commits, (changes) => {
        let metadata = newTableMetadata({
          schema: schema({ a: t.int(), b: t.string().required(), c: t.struct({ x: t.int(), y: t.date() }) }),
          partitionBy: [partitionBy.bucket(4, 'a')],
          formatVersion,
          location: '/t',
          uuid: 'u',
          nowMs: 0,
        });
        const meanings = new Map<number, string>();
        const partitionMeanings = new Map<number, string>();
        for (const change of changes) {
          const before = metadata;
          metadata = commit(metadata, change);
          expect(metadata.lastColumnId).toBeGreaterThanOrEqual(before.lastColumnId);
          for (const one of metadata.schemas) checkSchemaIds(one, metadata, meanings);
          for (const { fields } of metadata.partitionSpecs) checkSpecIds(fields, formatVersion, partitionMeanings);
          // Sources of what is written now exist (spec: "Partition Evolution").
          for (const { sourceIds, transform } of currentSpec(metadata).fields) {
            if (transform.kind !== 'void') expect(indexById(currentSchema(metadata)).has(sourceIds[0]!)).toBe(true);
          }
          expect(new Set(currentSpec(metadata).fields.map((one) => one.name)).size).toBe(
            currentSpec(metadata).fields.length,
          );
        }
        const again = parseTableMetadata(serializeTableMetadata(metadata), '/t/metadata/v1.metadata.json');
        expect(again.schemas).toEqual(metadata.schemas);
        expect(again.partitionSpecs).toEqual(metadata.partitionSpecs);
      }),
      { numRuns: runs(80) },
    );
  });
});

function checkSchemaIds(
  one: TableMetadata['schemas'][number],
  metadata: TableMetadata,
  meanings: Map<number, string>,
): void {
  const paths = new Set<string>();
  for (const {
    field: { id, type: fieldType },
    path,
    parentId,
  } of indexById(one).values()) {
    expect(id).toBeLessThanOrEqual(metadata.lastColumnId);
    paths.add(path.join('.').toLowerCase());
    // A field never leaves its parent, and its type stays in one family.
    const text =
      fieldType.kind === 'decimal' ? `decimal scale ${fieldType.scale}` : (FAMILIES[fieldType.kind] ?? fieldType.kind);
    const meaning = `${text} in ${parentId}`;
    expect(meanings.get(id) ?? meaning, `${id} ${typeToText(fieldType)}`).toBe(meaning);
    meanings.set(id, meaning);
  }
  expect(paths.size).toBe(indexById(one).size);
}

function checkSpecIds(
  fields: TableMetadata['partitionSpecs'][number]['fields'],
  formatVersion: FormatVersion,
  meanings: Map<number, string>,
): void {
  expect(new Set(fields.map(({ fieldId }) => fieldId)).size).toBe(fields.length);
  fields.forEach(({ fieldId, sourceIds, transform }, i) => {
    if (formatVersion === 1) expect(fieldId).toBe(1000 + i);
    // In v1 a place may turn to void; otherwise an id has one meaning for ever.
    const meaning = `${transform.kind === 'void' ? '' : transformToText(transform)} of ${sourceIds.join()}`;
    const known = meanings.get(fieldId);
    if (known !== undefined && transform.kind !== 'void') expect(meaning).toBe(known);
    if (transform.kind !== 'void') meanings.set(fieldId, meaning);
  });
}
