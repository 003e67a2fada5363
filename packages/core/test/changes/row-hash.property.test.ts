import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowCounts } from '../../src/changes/row-counts.ts';
import { HASH_WORDS, hashRows } from '../../src/changes/row-hash.ts';
import { valuesEqual } from '../../src/spec/compare-values.ts';
import { Variant } from '../../src/spec/variant.ts';
import { batchOf, rowOf, schemaAndRows } from '../write/support.ts';
import { schema as anySchema } from '../spec/arbitraries.ts';

const hashText = (hashes: Int32Array, row: number): string =>
  hashes.subarray(HASH_WORDS * row, HASH_WORDS * (row + 1)).join();

test('rows have the same hash exactly if their values are equal, of whatever types', () => {
  const twoRows = anySchema.chain((shape) => fc.tuple(fc.constant(shape), rowOf(shape), rowOf(shape)));
  fc.assert(
    fc.property(twoRows, fc.nat(20), ([shape, one, other], padding) => {
      const types = shape.fields.map(({ type }) => type);
      const rows = [...Array.from({ length: padding }, () => other), one, other, one];
      const hashes = hashRows(types, batchOf(shape, rows).columns, rows.length);
      const alone = hashRows(types, batchOf(shape, [one]).columns, 1);
      const equal = types.every((type, i) => valuesEqual(type, one[i]!, other[i]!));
      expect(hashText(hashes, padding)).toBe(hashText(alone, 0));
      expect(hashText(hashes, padding + 2)).toBe(hashText(alone, 0));
      expect(hashText(hashes, padding) === hashText(hashes, padding + 1)).toBe(equal);
    }),
  );
});

test('maps are equal whatever the order of their keys, variants whatever their dictionaries', () => {
  const text = { kind: 'string' } as const;
  const map = { kind: 'map', keyId: 2, key: text, valueId: 3, valueRequired: false, value: text } as const;
  const shape = { kind: 'struct', fields: [{ id: 1, name: 'm', required: false, type: map }] } as const;
  const maps = [
    [
      ['a', 'x'],
      ['b', null],
    ],
    [
      ['b', null],
      ['a', 'x'],
    ],
    [
      ['b', 'x'],
      ['a', null],
    ],
  ];
  const hashes = hashRows(
    [map],
    batchOf(
      shape,
      maps.map((one) => [one]),
    ).columns,
    3,
  );
  expect(hashText(hashes, 1)).toBe(hashText(hashes, 0));
  expect(hashText(hashes, 2)).not.toBe(hashText(hashes, 0));

  const variant = { kind: 'variant' } as const;
  const [plain, other] = [Variant.from({ a: 1, b: 'x' }), Variant.from({ a: 1, b: 'y' })];
  const { metadata } = Variant.from({ a: 0, b: 0, unused: 0 });
  const odd = new Variant(metadata, plain.value);
  const column = { kind: 'struct', fields: [{ id: 1, name: 'v', required: false, type: variant }] } as const;
  const ofVariants = hashRows([variant], batchOf(column, [[plain], [odd], [other]]).columns, 3);
  expect(hashText(ofVariants, 1)).toBe(hashText(ofVariants, 0));
  expect(hashText(ofVariants, 2)).not.toBe(hashText(ofVariants, 0));
});

test('rows are counted', () => {
  fc.assert(
    fc.property(schemaAndRows, fc.array(fc.boolean(), { maxLength: 400 }), ({ shape, rows }, adds) => {
      const hashes = hashRows(
        shape.fields.map(({ type }) => type),
        batchOf(shape, rows).columns,
        rows.length,
      );
      const counts = new RowCounts();
      const model = new Map<string, number>();
      adds.forEach((isAdded, i) => {
        const at = HASH_WORDS * ((7 * i) % rows.length);
        const key = hashText(hashes, at / HASH_WORDS);
        const count = model.get(key) ?? 0;
        if (isAdded) counts.add(hashes, at);
        else expect(counts.take(hashes, at)).toBe(count > 0);
        model.set(key, isAdded ? count + 1 : Math.max(0, count - 1));
      });
      expect(counts.total).toBe([...model.values()].reduce((sum, count) => sum + count, 0));
    }),
  );
});

test('many rows are counted, each for itself', () => {
  const shape = { kind: 'struct', fields: [{ id: 1, name: 'n', required: true, type: { kind: 'long' } }] } as const;
  const rows = Array.from({ length: 20_000 }, (_, i) => [BigInt(i % 10_000)]);
  const hashes = hashRows([{ kind: 'long' }], batchOf(shape, rows).columns, rows.length);
  const counts = new RowCounts();
  for (let at = 0; at < hashes.length; at += HASH_WORDS) counts.add(hashes, at);
  expect(counts.total).toBe(20_000);
  let taken = 0;
  for (let i = 0; i < 3; i++)
    for (let row = 0; row < 10_000; row++) taken += Number(counts.take(hashes, HASH_WORDS * row));
  expect([taken, counts.total]).toEqual([20_000, 0]);
});
