import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { deleteLoader, readTaskColumns, taskSchema } from '../../src/read/read-task.ts';
import type { FileScanTask } from '../../src/scan/file-scan-task.ts';
import { valuesEqual } from '../../src/spec/compare-values.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import type { Schema } from '../../src/spec/schema.ts';
import { findField } from '../../src/spec/schema-fields.ts';
import { selectFields } from '../../src/spec/select-fields.ts';
import type { NestedField, StructType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { rowsOf } from '../write/support.ts';
import type { Row } from '../write/support.ts';
import { TableWithDeletes } from './support.ts';
import type { Place } from './support.ts';

const optional = (id: number, name: string, type: NestedField['type']): NestedField => ({
  id,
  name,
  required: false,
  type,
});
const x = optional(5, 'x', { kind: 'double' });
const y = optional(7, 'y', { kind: 'string' });
const part = optional(8, 'part', { kind: 'string' });

/** The table as it began … */
const OLD: Schema = {
  kind: 'struct',
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    optional(1, 'id', { kind: 'int' }),
    optional(2, 'name', { kind: 'string' }),
    { ...optional(3, 'gone', { kind: 'long' }), required: true },
    optional(4, 'st', { kind: 'struct', fields: [y, x] }),
    part,
  ],
};

/** … and as it is: promoted, renamed, dropped (one that was required), dropped from a struct, added with a default. */
const NOW: Schema = {
  ...OLD,
  schemaId: 1,
  fields: [
    part,
    { ...optional(6, 'added', { kind: 'int' }), initialDefault: 7 },
    optional(4, 'st', { kind: 'struct', fields: [x] }),
    optional(2, 'label', { kind: 'string' }),
    optional(1, 'id', { kind: 'long' }),
  ],
};

const BY_PART: PartitionSpec = {
  specId: 1,
  fields: [{ sourceIds: [8], fieldId: 1000, name: 'part', transform: { kind: 'identity' } }],
};
const SPECS: readonly PartitionSpec[] = [{ specId: 0, fields: [] }, BY_PART];

/** Column values by field id, of leaves only, as today's types. Fields of a null struct are null. */
type Leaves = ReadonlyMap<number, Value>;

const leaves: fc.Arbitrary<Leaves> = fc
  .record({
    id: fc.option(fc.constantFrom(0n, 1n, 2n, -3n), { freq: 5 }),
    label: fc.option(fc.constantFrom('', 'a', 'b')),
    gone: fc.constantFrom(0n, 1n),
    x: fc.option(fc.constantFrom(0, -0, Number.NaN, 1.5)),
    added: fc.option(fc.constantFrom(7, 8)),
  })
  .map(
    (row) =>
      new Map<number, Value>([
        [1, row.id],
        [2, row.label],
        [3, row.gone],
        [5, row.x],
        [6, row.added],
        [7, 'y'],
      ]),
  );

interface FileSpec {
  readonly old: boolean;
  readonly rows: readonly Leaves[];
  readonly sequenceNumber: bigint;
  /** Null: not partitioned. */
  readonly part: string | null;
}

interface PositionsSpec {
  readonly kind: 'positions' | 'vector';
  /** Of the vector, the first file only. */
  readonly deleted: readonly (readonly [file: number, position: number])[];
  readonly sequenceNumber: bigint;
}

interface KeysSpec {
  readonly old: boolean;
  readonly ids: readonly number[];
  readonly keys: readonly Leaves[];
  readonly sequenceNumber: bigint;
  readonly part: string | null;
}

const sequenceNumber = fc.bigInt({ min: 1n, max: 4n });
const place = fc.constantFrom(null, 'p', 'q');
const file: fc.Arbitrary<FileSpec> = fc.record({
  old: fc.boolean(),
  rows: fc.array(leaves, { minLength: 1, maxLength: 8 }),
  sequenceNumber,
  part: place,
});
const positions: fc.Arbitrary<PositionsSpec> = fc.record({
  kind: fc.constantFrom('positions', 'positions', 'vector'),
  deleted: fc.array(fc.tuple(fc.nat(3), fc.nat(9)), { minLength: 1, maxLength: 6 }),
  sequenceNumber,
});
const keys: fc.Arbitrary<KeysSpec> = fc.record({
  old: fc.boolean(),
  // Often the same columns, so that deletes of several partitions and ages meet.
  ids: fc.oneof(fc.constant([1]), fc.constantFrom([2], [3], [5], [6], [1, 2], [2, 1], [1, 3], [5, 2], [1, 2, 3, 5])),
  keys: fc.array(leaves, { minLength: 1, maxLength: 4 }),
  sequenceNumber,
  part: place,
});
const scenario = fc.record({
  files: fc.array(file, { minLength: 1, maxLength: 4 }),
  positions: fc.array(positions, { maxLength: 3 }),
  keys: fc.array(keys, { maxLength: 4 }),
  selected: fc.constantFrom<readonly number[]>([], [2], [1, 4], [8, 6, 4, 2, 1]),
  maxBytes: fc.constantFrom(0, 64 * 1024 * 1024),
});

/** A row of a schema, whose fields that the leaves don't know are null. */
function rowOf(struct: StructType, row: Leaves): Row {
  return struct.fields.map(({ id, type }): Value => {
    if (type.kind === 'struct') return row.get(5) === null ? null : rowOf(type, row);
    const value = row.get(id) ?? null;
    return type.kind === 'int' && typeof value === 'bigint' ? Number(value) : value;
  });
}

const placeOf = (value: string | null): Place => (value === null ? {} : { spec: BY_PART, partition: [value] });

/** What a file's row is today. */
function today({ old, part: value }: FileSpec, row: Leaves): Leaves {
  return new Map([...row, [8, value], [6, old ? 7 : row.get(6)!], [3, old ? row.get(3)! : null], [7, null]]);
}

interface Written {
  readonly spec: FileSpec;
  readonly file: DataFile;
}

async function build(input: {
  files: readonly FileSpec[];
  positions: readonly PositionsSpec[];
  keys: readonly KeysSpec[];
}) {
  const table = new TableWithDeletes(NOW, SPECS);
  const written: Written[] = [];
  for (const spec of input.files) {
    const schema = spec.old ? OLD : NOW;
    const rows = spec.rows.map((row) => rowOf(schema, new Map([...row, [8, spec.part]])));
    written.push({ spec, file: await table.addData(schema, rows, spec.sequenceNumber, placeOf(spec.part)) });
  }
  const vectors = new Map<number, PositionsSpec>();
  for (const entry of input.positions) {
    const target = entry.deleted[0]![0] % written.length;
    if (entry.kind === 'vector') vectors.set(target, entry);
    else {
      // Deletes of one file are of one partition: those of the first one's.
      const { part: value } = written[target]!.spec;
      const paths = entry.deleted.map(([i, position]) => [written[i % written.length]!.file.path, position] as const);
      await table.addPositionDeletes(paths, entry.sequenceNumber, placeOf(value));
    }
  }
  for (const [i, { deleted, sequenceNumber: newest }] of vectors) {
    const own = deleted.filter(([target]) => target % written.length === i).map(([, position]) => position);
    await table.addVector(written[i]!.file, own, newest, placeOf(written[i]!.spec.part));
  }
  for (const { old, ids, keys: deleted, sequenceNumber: newest, part: value } of input.keys) {
    const base = old ? OLD : NOW;
    const known = ids.every((id) => findField(base, id))
      ? base
      : { ...OLD, fields: [...OLD.fields, findField(NOW, 6)!] };
    const schema = {
      ...known,
      fields: selectFields(known, new Set(ids)).fields.map((field) => ({ ...field, required: false })),
    };
    const rows = deleted.map((row) => rowOf(schema, row));
    await table.addEqualityDeletes(schema, ids, rows, newest, placeOf(value));
  }
  return { table, written, vectors };
}

test('reading gives the rows that no delete applies to', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (input) => {
      const { table, written, vectors } = await build(input);
      const isDeleted = ({ spec, file: data }: Written, index: number, position: number): boolean => {
        const row = today(spec, spec.rows[position]!);
        const vector = vectors.get(index);
        const applies = (entry: PositionsSpec): boolean => entry.sequenceNumber >= spec.sequenceNumber;
        const byPosition =
          vector && applies(vector)
            ? vector.deleted.some(([target, at]) => target % written.length === index && at === position)
            : input.positions.some((entry) => {
                const home = written[entry.deleted[0]![0] % written.length]!.spec.part;
                const inPartition = entry.kind === 'positions' && home === spec.part && applies(entry);
                return (
                  inPartition &&
                  entry.deleted.some(([i, at]) => written[i % written.length]!.file === data && at === position)
                );
              });
        const byKey = input.keys.some(
          (entry) =>
            entry.sequenceNumber > spec.sequenceNumber &&
            (entry.part === null || entry.part === spec.part) &&
            entry.keys.some((key) => entry.ids.every((id) => sameValue(id, key.get(id)!, row.get(id)!))),
        );
        return byPosition || byKey;
      };
      const metadata = { ...table.metadata, schemas: [OLD, NOW] };
      const tasks = await table.tasks({ metadata });
      expect(tasks.map((task) => task.file.path).toSorted()).toEqual(written.map((one) => one.file.path).toSorted());
      const deletes = deleteLoader(table.table.io, input.maxBytes);
      const projection = { ...NOW, fields: NOW.fields.filter(({ id }) => input.selected.includes(id)) };
      const read = async (task: FileScanTask): Promise<Row[]> => {
        const options = { projection, metadataColumns: ['_pos'] as const, deletes };
        const rows: Row[] = [];
        for await (const batch of readTaskColumns(table.table.io, task, options))
          rows.push(...rowsOf(taskSchema(options), batch));
        return rows;
      };
      const found = await Promise.all(tasks.map(read));
      tasks.forEach((task, i) => {
        const index = written.findIndex((one) => one.file.path === task.file.path);
        const one = written[index]!;
        const kept = one.spec.rows.flatMap((row, position) =>
          isDeleted(one, index, position) ? [] : [[...rowOf(projection, today(one.spec, row)), BigInt(position)]],
        );
        expect(found[i]).toEqual(kept);
      });
    }),
    { numRuns: runs(60) },
  );
});

function sameValue(id: number, a: Value, b: Value): boolean {
  return valuesEqual(findField(NOW, id)?.type ?? { kind: 'long' }, a, b);
}
