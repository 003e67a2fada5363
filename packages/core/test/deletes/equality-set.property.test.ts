import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Column } from '../../src/columns/column.ts';
import { EqualitySet } from '../../src/deletes/equality-set.ts';
import { valuesEqual } from '../../src/spec/compare-values.ts';
import type { PrimitiveType, StructType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { orderedType, valueOf } from '../spec/arbitraries.ts';
import { batchOf } from '../write/support.ts';

type Key = readonly Value[];

interface Case {
  readonly types: readonly PrimitiveType[];
  readonly deletes: readonly { readonly sequenceNumber: bigint; readonly keys: readonly Key[] }[];
  readonly rows: readonly Key[];
  readonly dataSequenceNumber: bigint;
  /** Which rows are asked for; null for all. */
  readonly selected: readonly boolean[] | null;
}

/** Few different values per column, so that keys meet. */
const cases: fc.Arbitrary<Case> = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: orderedType },
      { weight: 1, arbitrary: fc.constant({ kind: 'unknown' } as const) },
    ),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .chain((types) =>
    fc.tuple(
      fc.constant(types),
      fc.tuple(...types.map((type) => fc.array(valueOf(type), { minLength: 1, maxLength: 3 }))),
    ),
  )
  .chain(([types, pools]) => {
    const key = fc.tuple(...pools.map((pool) => fc.constantFrom(null, ...pool)));
    const sequenceNumber = fc.bigInt({ min: 0n, max: 4n });
    const deletes = fc.array(fc.record({ sequenceNumber, keys: fc.array(key, { maxLength: 6 }) }), { maxLength: 4 });
    const rows = fc.array(key, { minLength: 1, maxLength: 12 });
    return fc
      .record({ types: fc.constant(types), deletes, rows, dataSequenceNumber: sequenceNumber })
      .chain((rest) =>
        fc
          .option(fc.array(fc.boolean(), { minLength: rest.rows.length, maxLength: rest.rows.length }))
          .map((selected): Case => ({ ...rest, selected })),
      );
  });

function columnsOf(types: readonly PrimitiveType[], keys: readonly Key[]): readonly Column[] {
  const fields = types.map((type, i) => ({ id: i + 1, name: `c${i}`, required: false, type }));
  const struct: StructType = { kind: 'struct', fields };
  return batchOf(struct, keys).columns;
}

describe('a set of deleted keys', () => {
  test('keeps the rows that a comparison with every newer key keeps', () => {
    fc.assert(
      fc.property(cases, ({ types, deletes, rows, dataSequenceNumber, selected }) => {
        const set = new EqualitySet();
        for (const { sequenceNumber, keys } of deletes) set.add(columnsOf(types, keys), keys.length, sequenceNumber);
        const asked = rows.flatMap((_, row) => (selected === null || selected[row] ? [row] : []));
        const isDeleted = (row: Key): boolean =>
          deletes.some(
            ({ sequenceNumber, keys }) =>
              sequenceNumber > dataSequenceNumber &&
              keys.some((key) => key.every((value, i) => valuesEqual(types[i]!, value, row[i]!))),
          );
        const candidates = selected && Int32Array.from(asked);
        const kept = set.without(columnsOf(types, rows), rows.length, candidates, dataSequenceNumber);
        const expected = asked.filter((row) => !isDeleted(rows[row]!));
        expect([...(kept ?? rows.keys())]).toEqual(expected);
        // Nothing to do is told by giving back what was given.
        if (expected.length === asked.length) expect(kept).toBe(candidates);
      }),
      { numRuns: 300 },
    );
  });

  test('has every key once, however many there are', () => {
    const keys = Array.from({ length: 20_000 }, (_, i): Key => [BigInt(i % 10_000) * 3n, `k${i % 5000}`]);
    const types: readonly PrimitiveType[] = [{ kind: 'long' }, { kind: 'string' }];
    const set = new EqualitySet();
    set.add(columnsOf(types, keys), keys.length, 1n);
    expect(set.size).toBe(10_000);
    expect(set.without(columnsOf(types, keys), keys.length, null, 0n)).toHaveLength(0);
    expect(set.without(columnsOf(types, keys), keys.length, null, 1n)).toBeNull();
    const others = keys.map(([id, name], i): Key => (i % 2 === 0 ? [(id as bigint) + 1n, name!] : [id!, `x${i}`]));
    expect(set.without(columnsOf(types, others), others.length, null, 0n)).toBeNull();
    expect(set.bytes).toBeLessThan(2_000_000);
  });

  test('columns do not run into each other', () => {
    const types: readonly PrimitiveType[] = [{ kind: 'string' }, { kind: 'binary' }];
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    const set = new EqualitySet();
    set.add(
      columnsOf(types, [
        ['ab', bytes('c')],
        ['', null],
        [null, bytes('')],
      ]),
      3,
      1n,
    );
    const rows: Key[] = [
      ['a', bytes('bc')],
      ['abc', bytes('')],
      [null, null],
      ['', bytes('')],
      ['ab', bytes('c')],
    ];
    expect([...set.without(columnsOf(types, rows), rows.length, null, 0n)!]).toEqual([0, 1, 2, 3]);
  });

  test('NaN equals NaN, whatever its bits; -0 and +0 differ', () => {
    const doubles = (...words: bigint[]): Column => {
      const values = new Float64Array(BigUint64Array.from(words).buffer);
      return { layout: 'numbers', length: words.length, validity: null, values };
    };
    const floats = (...words: number[]): Column => {
      const values = new Float32Array(Uint32Array.from(words).buffer);
      return { layout: 'numbers', length: words.length, validity: null, values };
    };
    const double = new EqualitySet();
    double.add([doubles(0x7ff8000000000000n, 0n)], 2, 1n);
    const bits = doubles(0xfff8000000000001n, 0x7ff0000000000001n, 0n, 0x8000000000000000n, 0x7ff0000000000000n);
    expect([...double.without([bits], 5, null, 0n)!]).toEqual([3, 4]);
    const float = new EqualitySet();
    float.add([floats(0xffc00001, 0x80000000)], 2, 1n);
    expect([...float.without([floats(0x7fc00000, 0, 0x80000000, 0x7f800000)], 4, null, 0n)!]).toEqual([1, 3]);
  });

  test('the newest delete of a key counts', () => {
    const set = new EqualitySet();
    const types: readonly PrimitiveType[] = [{ kind: 'int' }];
    for (const sequenceNumber of [5n, 9n, 7n]) set.add(columnsOf(types, [[1], [2]]), 2, sequenceNumber);
    expect(set.without(columnsOf(types, [[1]]), 1, null, 8n)).toHaveLength(0);
    expect(set.without(columnsOf(types, [[1]]), 1, null, 9n)).toBeNull();
  });
});
