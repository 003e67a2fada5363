import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AvroCodec } from '../../src/formats/avro/codecs.ts';
import { readTaskColumns } from '../../src/read/read-task.ts';
import { nameMappingOf } from '../../src/spec/name-mapping.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { NestedField } from '../../src/spec/types.ts';
import { columnTerm } from '../expr/expressions.ts';
import { untypedError } from '../formats/avro/untyped-error.ts';
import { schema as anySchema } from '../spec/arbitraries.ts';
import { expectError } from '../table/support.ts';
import { read, rowOf } from '../write/support.ts';
import type { Row } from '../write/support.ts';
import { avroFile, taskOfBytes } from './avro-support.ts';

const schemaAndRows: fc.Arbitrary<{ shape: Schema; rows: Row[] }> = anySchema.chain((shape) =>
  fc.array(rowOf(shape), { maxLength: 20 }).map((rows) => ({ shape, rows })),
);
const codec = fc.constantFrom<AvroCodec>('null', 'deflate', 'snappy');

test('values of every type come back as they were written, with their positions', async () => {
  await fc.assert(
    fc.asyncProperty(
      schemaAndRows,
      codec,
      fc.integer({ min: 1, max: 25 }),
      async ({ shape, rows }, using, batchSize) => {
        const { io, task } = await taskOfBytes(avroFile(shape, rows, using), 'avro', shape);
        const got = await read(io, task, { batchSize, metadataColumns: ['_pos'] });
        expect(got).toEqual(rows.map((row, i) => [...row, BigInt(i)]));
      },
    ),
    { numRuns: 80 },
  );
});

test('any part of the columns is read, from the whole file or by number alone', async () => {
  await fc.assert(
    fc.asyncProperty(schemaAndRows, fc.infiniteStream(fc.boolean()), async ({ shape, rows }, picks) => {
      const fields = shape.fields.filter(() => picks.next().value);
      const { io, task } = await taskOfBytes(avroFile(shape, rows), 'avro', shape);
      const got = await read(io, task, { projection: { kind: 'struct', fields } });
      expect(got).toEqual(rows.map((row) => fields.map((field) => row[shape.fields.indexOf(field)])));
    }),
    { numRuns: 60 },
  );
});

const shape = schema({
  id: t.int().required(),
  name: t.string(),
  point: t.struct({ x: t.float(), y: t.float() }),
  tags: t.list(t.string()),
});
const rows: Row[] = [
  [1, 'one', [0.5, 1], ['a', null]],
  [2, null, null, []],
  [3, 'three', [null, -0], null],
];

/** The schema with some fields changed, at any depth of structs. */
function changed(struct: Schema, change: (field: NestedField) => NestedField | null): Schema {
  const fields = struct.fields.flatMap((field) => change(field) ?? []);
  return { ...struct, fields };
}

test('columns are found by id: renamed, promoted, dropped, added with a default', async () => {
  const { io, task } = await taskOfBytes(avroFile(shape, rows), 'avro', shape);
  const added: NestedField = { id: 90, name: 'added', required: false, type: { kind: 'int' }, initialDefault: 7 };
  const evolved = changed(shape, (field) => {
    if (field.name === 'id') return { ...field, name: 'number', type: { kind: 'long' } };
    if (field.type.kind !== 'struct') return field.name === 'name' ? null : field;
    const [, y] = field.type.fields;
    const inner: NestedField = { ...added, id: 91, name: 'z' };
    return { ...field, type: { kind: 'struct', fields: [inner, { ...y!, type: { kind: 'double' } }] } };
  });
  const projection = { ...evolved, fields: [added, ...evolved.fields] };
  expect(await read(io, { ...task, schema: projection })).toEqual([
    [7, 1n, [7, 1], ['a', null]],
    [7, 2n, null, []],
    [7, 3n, [7, -0], null],
  ]);
});

test('a struct none of whose fields the file has is still null where it was', async () => {
  const { io, task } = await taskOfBytes(avroFile(shape, rows), 'avro', shape);
  const point = shape.fields[2]!;
  const z: NestedField = { id: 91, name: 'z', required: false, type: { kind: 'int' } };
  const projection = {
    kind: 'struct' as const,
    fields: [{ ...point, type: { kind: 'struct' as const, fields: [z] } }],
  };
  expect(await read(io, task, { projection })).toEqual([[[null]], [null], [[null]]]);
});

test('filters are applied, and positions are those in the file', async () => {
  const { io, task } = await taskOfBytes(avroFile(shape, rows), 'avro', shape);
  const residual = { op: 'gt' as const, term: columnTerm({ kind: 'int' }, 1, 'id'), value: 1 };
  const projection = { kind: 'struct' as const, fields: [shape.fields[1]!] };
  expect(await read(io, { ...task, residual }, { projection, metadataColumns: ['_pos'] })).toEqual([
    [null, 1n],
    ['three', 2n],
  ]);
});

function withoutIds(file: Uint8Array): Uint8Array {
  // As long as before, so that the header's lengths still hold.
  const text = Buffer.from(file).toString('latin1');
  return new Uint8Array(
    Buffer.from(text.replaceAll('field-id"', 'fieldXid"').replaceAll('element-id"', 'elementXid"'), 'latin1'),
  );
}

test('names stand for ids in files without any, if the table maps them', async () => {
  const { io, task } = await taskOfBytes(withoutIds(avroFile(shape, rows)), 'avro', shape);
  expect(await read(io, task, { nameMapping: nameMappingOf(shape) })).toEqual(rows);
  await expectError(read(io, task), 'INVALID_DATA', /no field ids.*schema\.name-mapping\.default/);
});

describe('large files', () => {
  const blobs = schema({ n: t.long(), blob: t.binary() });
  const many: Row[] = Array.from({ length: 2400 }, (_, i) => [BigInt(i), new Uint8Array(5000).fill(i)]);
  const bytes = avroFile(blobs, many, 'null');

  test('are read some megabytes at a time', async () => {
    const { io, task } = await taskOfBytes(bytes, 'avro', blobs);
    let asked = 0;
    const counted = Object.create(io) as typeof io;
    counted.read = (location, options) => {
      asked += options?.length ?? 0;
      return io.read(location, options);
    };
    const batches = readTaskColumns(counted, task, { projection: blobs, batchSize: 100 });
    const first = await batches.next();
    expect(first.value?.length).toBe(100);
    expect(asked).toBeLessThan(bytes.length * 0.8);
    await batches.return(undefined);
    const got = await read(io, task);
    expect(got).toHaveLength(many.length);
    // Comparing megabytes byte by byte takes minutes here.
    const isSame = ([n, blob]: Row, i: number): boolean =>
      n === BigInt(i) && Buffer.compare(blob as Uint8Array, many[i]![1] as Uint8Array) === 0;
    expect(got.findIndex((row, i) => !isSame(row, i))).toBe(-1);
  });

  test('in large blocks are read, too', async () => {
    const wide: Row[] = Array.from({ length: 3 }, (_, i) => [BigInt(i), new Uint8Array(9_000_000).fill(i)]);
    const { io, task } = await taskOfBytes(avroFile(blobs, wide, 'null'), 'avro', blobs);
    const got = await read(io, task);
    expect(got.map(([n, blob]) => [n, (blob as Uint8Array).length])).toEqual([
      [0n, 9_000_000],
      [1n, 9_000_000],
      [2n, 9_000_000],
    ]);
  });
});

test('damaged files are INVALID_DATA or read as something', async () => {
  const sample = fc.sample(schemaAndRows, { numRuns: 12, seed: 3 });
  for (const { shape: given, rows: values } of sample) {
    const file = avroFile(given, values, 'null');
    const damage = fc.oneof(
      fc.nat(file.length).map((end) => file.subarray(0, end)),
      fc.tuple(fc.nat(Math.max(0, file.length - 1)), fc.nat(255)).map(([at, byte]) => file.with(at, byte)),
    );
    await fc.assert(
      fc.asyncProperty(damage, async (damaged) => {
        const { io, task } = await taskOfBytes(damaged, 'avro', given);
        expect(await untypedError(() => read(io, task))).toBeNull();
      }),
      { numRuns: 40 },
    );
  }
});
