import { readFile } from 'node:fs/promises';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTimestamp } from '../../src/spec/datetime-text.ts';
import type { JsonValue } from '../../src/spec/json.ts';
import { nameMappingOf } from '../../src/spec/name-mapping.ts';
import type { NameMapping } from '../../src/spec/name-mapping.ts';
import { schemaFromJson } from '../../src/spec/schema-json.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { IcebergType, NestedField, StructType } from '../../src/spec/types.ts';
import { columnTerm } from '../expr/expressions.ts';
import { untypedError } from '../formats/avro/untyped-error.ts';
import { expectError } from '../table/support.ts';
import { read } from '../write/support.ts';
import { taskOfBytes } from './avro-support.ts';

const fileOf = async (name: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(new URL(`files/orc/${name}`, import.meta.url)));
const jsonOf = async (name: string): Promise<JsonValue> =>
  JSON.parse(new TextDecoder().decode(await fileOf(name))) as JsonValue;

/** Values in the form that the files of rows have them. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'bigint') return String(value);
  return Number.isNaN(value) ? null : value === 0 ? 0 : value;
}

const javaSchema = async (): Promise<Schema> => schemaFromJson((await jsonOf('iceberg-java.schema.json')) as never);

test.each(['iceberg-java', 'iceberg-java-v1'])('%s: every type is read as it was written', async (name) => {
  const shape = await javaSchema();
  const { io, task } = await taskOfBytes(await fileOf(`${name}.orc`), 'orc', shape);
  const rows = (await jsonOf(`${name}.rows.json`)) as JsonValue[][];
  expect(plain(await read(io, task))).toEqual(rows);
  const withPositions = await read(io, task, {
    projection: { kind: 'struct', fields: [] },
    metadataColumns: ['_pos'],
    batchSize: 7,
  });
  expect(withPositions).toEqual(rows.map((_, i) => [BigInt(i)]));
});

test('any part of the columns is read, and filtered', async () => {
  const shape = await javaSchema();
  const { io, task } = await taskOfBytes(await fileOf('iceberg-java.orc'), 'orc', shape);
  const rows = (await jsonOf('iceberg-java.rows.json')) as JsonValue[][];
  await fc.assert(
    fc.asyncProperty(
      fc.subarray([...shape.fields], { minLength: 1 }),
      fc.integer({ min: 1, max: 70 }),
      async (fields, batchSize) => {
        const got = await read(io, task, { projection: { kind: 'struct', fields }, batchSize });
        expect(plain(got)).toEqual(rows.map((row) => fields.map((field) => row[shape.fields.indexOf(field)])));
      },
    ),
    { numRuns: 30 },
  );
  const id = shape.fields.find((field) => field.type.kind === 'int')!;
  const residual = { op: 'gt' as const, term: columnTerm(id.type as never, id.id, id.name), value: 20 };
  const at = shape.fields.indexOf(id);
  const kept = rows.filter((row) => row[at] !== null && (row[at] as number) > 20);
  expect(plain(await read(io, { ...task, residual }))).toEqual(kept);
});

test('a struct of which nothing is known is still null where it was', async () => {
  const shape = await javaSchema();
  const at = shape.fields.findIndex((field) => field.type.kind === 'struct');
  const added: NestedField = { id: 900, name: 'new', required: false, type: { kind: 'int' }, initialDefault: 3 };
  const struct: NestedField = { ...shape.fields[at]!, type: { kind: 'struct', fields: [added] } };
  const { io, task } = await taskOfBytes(await fileOf('iceberg-java.orc'), 'orc', { ...shape, fields: [struct] });
  const rows = (await jsonOf('iceberg-java.rows.json')) as JsonValue[][];
  expect(await read(io, task)).toEqual(rows.map((row) => [row[at] === null ? null : [3]]));
});

const optional = (id: number, name: string, type: IcebergType): NestedField => ({ id, name, required: false, type });
const schemaOf = (fields: Readonly<Record<string, IcebergType>>): Schema => ({
  kind: 'struct',
  schemaId: 0,
  identifierFieldIds: [],
  fields: Object.entries(fields).map(([name, type], i) => optional(i + 1, name, type)),
});
const list = (elementId: number, element: IcebergType): IcebergType => ({
  kind: 'list',
  elementId,
  elementRequired: false,
  element,
});
const [int, long, text]: IcebergType[] = [{ kind: 'int' }, { kind: 'long' }, { kind: 'string' }];

const pyarrow = schemaOf({
  i8: int!,
  i16: int!,
  i32: int!,
  i64: long!,
  patched: long!,
  patchneg: long!,
  const: long!,
  desc: long!,
  f32: { kind: 'float' },
  f64: { kind: 'double' },
  str: text!,
  dic: text!,
  bin: { kind: 'binary' },
  bool: { kind: 'boolean' },
  d9: { kind: 'decimal', precision: 9, scale: 2 },
  d38: { kind: 'decimal', precision: 38, scale: 4 },
  date: { kind: 'date' },
  ts: { kind: 'timestamp' },
  tz: { kind: 'timestamptz' },
  li: list(100, long!),
  st: { kind: 'struct', fields: [optional(101, 'a', int!), optional(102, 'b', list(103, text!))] },
  mp: { kind: 'map', keyId: 104, key: text!, valueId: 105, valueRequired: false, value: int! },
  nul: int!,
  nonull: int!,
});

test('pyarrow: names stand for ids, if the table maps them', async () => {
  const { io, task } = await taskOfBytes(await fileOf('pyarrow.orc'), 'orc', pyarrow);
  const rows = (await jsonOf('pyarrow.rows.json')) as JsonValue[][];
  expect(plain(await read(io, task, { nameMapping: nameMappingOf(pyarrow) }))).toEqual(rows);
  await expectError(read(io, task), 'INVALID_DATA', /no field ids/);
});

const clocks = schemaOf({ ts: { kind: 'timestamp' }, b: int!, s: int!, c: text!, u: int! });
const clocksMapping: NameMapping = nameMappingOf(clocks).map((field) => ({ ...field, fields: [] }));
const withoutUnion: StructType = { kind: 'struct', fields: clocks.fields.slice(0, 4) };

test('timestamps are what the clock of their writer showed', async () => {
  const { io, task } = await taskOfBytes(await fileOf('los-angeles.orc'), 'orc', clocks);
  const got = await read(io, task, { projection: withoutUnion, nameMapping: clocksMapping, batchSize: 30 });
  const rows = await jsonOf('los-angeles.rows.json');
  expect(got.map(([ts, ...rest]) => [formatTimestamp(ts as bigint, 6), ...rest])).toEqual(rows);
});

test('unions are refused where they are wanted', async () => {
  const { io, task } = await taskOfBytes(await fileOf('los-angeles.orc'), 'orc', clocks);
  await expectError(read(io, task, { nameMapping: clocksMapping }), 'UNSUPPORTED', /'u'.*union/);
});

test('damaged files are INVALID_DATA, UNSUPPORTED or read as something', async () => {
  const names: readonly [string, Schema][] = [
    ['iceberg-java.orc', await javaSchema()],
    ['iceberg-java-v1.orc', await javaSchema()],
    ['pyarrow.orc', pyarrow],
    ['los-angeles.orc', { ...clocks, fields: withoutUnion.fields }],
  ];
  for (const [name, shape] of names) {
    const good = await fileOf(name);
    const byte = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
    // Most of what matters is at the end.
    const nearEnd = fc
      .tuple(fc.nat(300), fc.nat(255))
      .map(([at, value]) => [Math.max(0, good.length - 1 - at), value] as const);
    const damage = fc.oneof(
      fc.nat(good.length).map((end) => good.subarray(0, end)),
      fc.array(fc.oneof(byte, nearEnd), { minLength: 1, maxLength: 3 }).map((changes) => {
        const bad = good.slice();
        for (const [at, value] of changes) bad[at] = value;
        return bad;
      }),
    );
    await fc.assert(
      fc.asyncProperty(damage, async (damaged) => {
        const { io, task } = await taskOfBytes(damaged, 'orc', shape);
        expect(await untypedError(() => read(io, task, { nameMapping: nameMappingOf(shape) }))).toBeNull();
      }),
      { numRuns: 80 },
    );
  }
});

test('what is no ORC file says so', async () => {
  for (const bytes of [[], [1, 2], [0x4f, 0x52, 0x43, 0], [...new TextEncoder().encode('ORC, but not really'), 9]]) {
    const { io, task } = await taskOfBytes(Uint8Array.from(bytes), 'orc', clocks);
    await expectError(read(io, task), 'INVALID_DATA', /not a whole ORC file/);
  }
});
