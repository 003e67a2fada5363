import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readAvroContainer, AvroContainerWriter } from '../../../src/formats/avro/container.ts';
import { valueDecoder } from '../../../src/formats/avro/decode-values.ts';
import { editAvroRecords } from '../../../src/formats/avro/edit-records.ts';
import type { EditedValue } from '../../../src/formats/avro/edit-records.ts';
import { valueEncoder } from '../../../src/formats/avro/encode-values.ts';
import { toAvroSchema } from '../../../src/formats/avro/iceberg-schema.ts';
import type { StructType } from '../../../src/spec/types.ts';
import type { Value } from '../../../src/spec/values.ts';

const BOUNDS = {
  kind: 'map',
  keyId: 10,
  key: { kind: 'int' },
  valueId: 11,
  value: { kind: 'binary' },
  valueRequired: true,
} as const;
const TYPE: StructType = {
  kind: 'struct',
  fields: [
    { id: 1, name: 'path', required: true, type: { kind: 'string' } },
    {
      id: 2,
      name: 'file',
      required: true,
      type: {
        kind: 'struct',
        fields: [
          { id: 3, name: 'size', required: true, type: { kind: 'long' } },
          { id: 4, name: 'note', required: false, type: { kind: 'string' } },
          { id: 5, name: 'bounds', required: false, type: BOUNDS },
        ],
      },
    },
    { id: 6, name: 'kept', required: false, type: { kind: 'double' } },
  ],
};

const bounds = fc.option(
  fc.uniqueArray(fc.tuple(fc.nat(100), fc.uint8Array({ maxLength: 70 })), { selector: ([key]) => key, maxLength: 4 }),
);
const record = fc.tuple(
  fc.string(),
  fc.tuple(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), fc.option(fc.string()), bounds),
  fc.option(fc.double({ noNaN: true })),
);
const edit = fc.record(
  { path: fc.string(), size: fc.nat(), note: fc.option(fc.string()), bounds },
  { requiredKeys: [] },
);

test('fields that are edited change, all others stay as they are', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(record, edit)),
      fc.constantFrom('null' as const, 'deflate' as const),
      (rows, codec) => {
        const bytes = encoded(
          rows.map(([row]) => row),
          codec,
        );
        const edited = editAvroRecords(bytes, 'memory:/x.avro', new Set([1, 3, 4, 5]), (i) => {
          const { path, size, note, bounds: pairs } = rows[i]![1];
          const values: readonly (readonly [number, EditedValue | undefined])[] = [
            [1, path],
            [3, size],
            [4, note],
            [5, pairs === undefined || pairs === null ? pairs : new Map(pairs)],
          ];
          return new Map(values.filter((one): one is readonly [number, EditedValue] => one[1] !== undefined));
        });
        const expected = rows.map(([[path, [size, note, pairs], kept], changes]) => [
          changes.path ?? path,
          [
            changes.size === undefined ? size : BigInt(changes.size),
            changes.note === undefined ? note : changes.note,
            changes.bounds === undefined ? pairs : changes.bounds,
          ],
          kept,
        ]);
        expect(decoded(edited)).toEqual(decoded(encoded(expected as never, codec)));
        if (rows.every(([, changes]) => Object.keys(changes).length === 0)) expect(edited).toEqual(bytes);
      },
    ),
  );
});

function encoded(rows: readonly Value[], codec: 'null' | 'deflate'): Uint8Array {
  const schema = toAvroSchema(TYPE, 'r0');
  const writer = new AvroContainerWriter({ schema, metadata: { a: 'b' }, codec, name: 'n' });
  const encode = valueEncoder(TYPE);
  for (const row of rows) writer.append((block) => encode(block, row));
  return writer.finish();
}

function decoded(bytes: Uint8Array): readonly unknown[] {
  const { schema, blocks } = readAvroContainer(bytes, 'memory:/x.avro');
  const decode = valueDecoder(schema, TYPE, 'memory:/x.avro');
  const rows: unknown[] = [];
  for (const { count, reader } of blocks()) for (let i = 0; i < count; i++) rows.push(decode(reader));
  return rows;
}
