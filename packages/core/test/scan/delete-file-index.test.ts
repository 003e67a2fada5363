import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeleteFileIndex } from '../../src/scan/delete-file-index.ts';
import type { DeleteFile } from '../../src/scan/file-scan-task.ts';
import { partitionKey } from '../../src/scan/partition-key.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import type { Schema } from '../../src/spec/schema.ts';
import { valueToBytes } from '../../src/spec/single-value.ts';
import { BY_CITY, fileOf, SCHEMA } from '../manifest/support.ts';

const UNPARTITIONED: PartitionSpec = { specId: 0, fields: [] };
/** Dropped fields only: as good as no partitions. */
const VOID: PartitionSpec = { specId: 2, fields: [{ ...BY_CITY.fields[0]!, transform: { kind: 'void' } }] };
const OPTIONAL_ID: Schema = { ...SCHEMA, fields: SCHEMA.fields.map((field) => ({ ...field, required: false })) };
const OPTIONS = { specs: [UNPARTITIONED, BY_CITY, VOID], schemas: [OPTIONAL_ID] };

const data = (over: Partial<DataFile> = {}): DataFile => fileOf({ path: 'd', ...over });
const at = (sequenceNumber: bigint, over: Partial<DataFile>): DeleteFile => ({ sequenceNumber, file: fileOf(over) });
const positions = (sequenceNumber: bigint, over: Partial<DataFile> = {}): DeleteFile =>
  at(sequenceNumber, { content: 'position-deletes', path: 'pos', ...over });
const equality = (sequenceNumber: bigint, over: Partial<DataFile> = {}): DeleteFile =>
  at(sequenceNumber, { content: 'equality-deletes', path: 'eq', equalityIds: [1], ...over });
const vector = (sequenceNumber: bigint, over: Partial<DataFile> = {}): DeleteFile =>
  positions(sequenceNumber, {
    path: 'dv',
    format: 'puffin',
    referencedDataFile: 'd',
    contentOffset: 4,
    contentSizeInBytes: 40,
    ...over,
  });

function applied(deletes: readonly DeleteFile[], file: DataFile = data(), sequenceNumber = 5n): string[] {
  return new DeleteFileIndex(deletes, OPTIONS).forFile(file, sequenceNumber).map((entry) => entry.file.path);
}

describe('sequence numbers', () => {
  it('let an equality delete apply to older files only, a position delete to those of its own commit, too', () => {
    expect(applied([equality(5n)])).toEqual([]);
    expect(applied([equality(6n)])).toEqual(['eq']);
    expect(applied([positions(4n)])).toEqual([]);
    expect(applied([positions(5n)])).toEqual(['pos']);
    expect(applied([vector(4n)])).toEqual([]);
    expect(applied([vector(5n)])).toEqual(['dv']);
  });
});

describe('partitions', () => {
  const elsewhere = { partition: ['Busan'] };

  it('confine deletes to their own', () => {
    expect(applied([equality(9n, elsewhere), positions(9n, elsewhere), vector(9n, elsewhere)])).toEqual([]);
    expect(applied([positions(9n, { ...elsewhere, referencedDataFile: 'd' })])).toEqual([]);
  });

  it('are those of a spec: an equal tuple of another one is another partition', () => {
    expect(applied([positions(9n, { specId: 2 }), vector(9n, { specId: 2 })])).toEqual([]);
  });

  it('do not confine equality deletes of a spec without fields, or with void ones only', () => {
    expect(applied([equality(9n, { specId: 0, partition: [] })])).toEqual(['eq']);
    expect(applied([equality(9n, { specId: 2, partition: [null] })])).toEqual(['eq']);
    expect(applied([positions(9n, { specId: 0, partition: [] })])).toEqual([]);
  });
});

const pathBounds = (lower: string, upper: string) => ({
  lowerBounds: new Map([[2147483546, Buffer.from(lower)]]),
  upperBounds: new Map([[2147483546, Buffer.from(upper)]]),
});

describe('paths', () => {
  it('confine deletes that reference one file', () => {
    expect(
      applied([positions(9n, { referencedDataFile: 'other' }), vector(9n, { referencedDataFile: 'other' })]),
    ).toEqual([]);
    expect(applied([positions(9n, { referencedDataFile: 'd' })])).toEqual(['pos']);
  });

  it('may be told by equal bounds of file_path', () => {
    expect(applied([positions(9n, pathBounds('other', 'other'))])).toEqual([]);
    expect(applied([positions(9n, pathBounds('d', 'd'))])).toEqual(['pos']);
    expect(applied([positions(9n, pathBounds('a', 'z'))])).toEqual(['pos']);
  });

  it('match exactly: nothing is decoded', () => {
    const file = data({ path: 's3://b/p=%2F' });
    expect(applied([positions(9n, { referencedDataFile: 's3://b/p=/' })], file)).toEqual([]);
    expect(applied([positions(9n, { referencedDataFile: 's3://b/p=%2F' })], file)).toEqual(['pos']);
  });
});

describe('a deletion vector', () => {
  it('stands in for position deletes, not for equality deletes', () => {
    expect(applied([positions(9n), positions(9n, { referencedDataFile: 'd' }), equality(9n), vector(6n)])).toEqual([
      'eq',
      'dv',
    ]);
  });

  it('does not where it does not apply', () => {
    expect(applied([positions(9n), vector(4n)])).toEqual(['pos']);
  });

  it('may be the only one of a file', () => {
    expect(() => new DeleteFileIndex([vector(6n), vector(7n, { path: 'dv2' })], OPTIONS)).toThrow(
      /two deletion vectors/,
    );
  });
});

const long = (value: number): Uint8Array => valueToBytes({ kind: 'long' }, BigInt(value));
const range = (lower: number, upper: number, nulls: number | null = 0): Partial<DataFile> => ({
  lowerBounds: new Map([[1, long(lower)]]),
  upperBounds: new Map([[1, long(upper)]]),
  valueCounts: new Map([[1, 10]]),
  nullValueCounts: nulls === null ? null : new Map([[1, nulls]]),
});

const double = (value: number): Uint8Array => valueToBytes({ kind: 'double' }, value);

const doubleBounds = (value: number): Partial<DataFile> => ({
  lowerBounds: new Map([[3, double(value)]]),
  upperBounds: new Map([[3, double(value)]]),
  nullValueCounts: new Map([[3, 0]]),
});

describe('equality deletes', () => {
  it('are left out where metrics show that no row can be equal', () => {
    const file = data(range(10, 20));
    expect(applied([equality(9n, range(21, 30))], file)).toEqual([]);
    expect(applied([equality(9n, range(20, 30))], file)).toEqual(['eq']);
    // Null equals null; an unknown count may be one.
    expect(applied([equality(9n, range(21, 30, 1))], file)).toEqual([]);
    expect(applied([equality(9n, range(21, 30, 1))], data(range(10, 20, 1)))).toEqual(['eq']);
    expect(applied([equality(9n, range(21, 30, null))], data(range(10, 20, null)))).toEqual(['eq']);
    const nullsOnly = { ...range(0, 0, 10), lowerBounds: null, upperBounds: null };
    expect(applied([equality(9n, nullsOnly)], file)).toEqual([]);
    expect(applied([equality(9n, range(10, 20))], data(nullsOnly))).toEqual([]);
    expect(applied([equality(9n, range(21, 30))], data())).toEqual(['eq']);
  });

  it('on floats apply whatever the bounds are: NaN is in none', () => {
    expect(applied([equality(9n, { equalityIds: [3], ...doubleBounds(1) })], data(doubleBounds(2)))).toEqual(['eq']);
  });

  it('are on columns that some schema has', () => {
    expect(() => new DeleteFileIndex([equality(9n, { equalityIds: [4242] })], OPTIONS)).toThrow(/field id 4242/);
    const dropped = { ...OPTIONS, schemas: [{ ...SCHEMA, fields: [] }, SCHEMA] };
    expect(new DeleteFileIndex([equality(9n)], dropped).equalityColumns).toEqual(new Set([1]));
  });

  it('found through the index are those that a comparison with each of them finds', () => {
    const bound = fc.option(fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 8 })));
    const metrics = fc
      .tuple(bound, fc.constantFrom(null, 0, 0, 0, 1, 10))
      .map(([of, nulls]) =>
        of ? range(of[0], of[0] + of[1], nulls) : { ...range(0, 0, nulls), lowerBounds: null, upperBounds: null },
      );
    const sequence = fc.bigInt({ min: 0n, max: 6n });
    const columns = fc.constantFrom([1], [1, 2]);
    const entry = fc.record({ sequence, metrics, columns });
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 25 }),
        fc.array(fc.tuple(sequence, metrics), { maxLength: 10 }),
        (given, files) => {
          const deletes = given.map((made, i) =>
            equality(made.sequence, { ...made.metrics, path: `eq${i}`, equalityIds: made.columns }),
          );
          const index = new DeleteFileIndex(deletes, OPTIONS);
          for (const [sequenceNumber, over] of files) {
            const file = data(over);
            const each = deletes.filter(
              (one) => new DeleteFileIndex([one], OPTIONS).forFile(file, sequenceNumber).length > 0,
            );
            const found = index.forFile(file, sequenceNumber);
            expect(found.map((one) => one.file.path).toSorted()).toEqual(each.map((one) => one.file.path).toSorted());
          }
        },
      ),
    );
  });
});

describe('many files and many deletes', () => {
  const COUNT = 5000;

  it('cost little when deletes are about a file or a partition each', () => {
    const deletes = Array.from({ length: COUNT }, (_, i) =>
      i % 2 === 0
        ? positions(9n, { path: `p${i}`, referencedDataFile: `d${i}` })
        : equality(9n, { path: `e${i}`, partition: [`city${i}`] }),
    );
    const index = new DeleteFileIndex(deletes, OPTIONS);
    for (let i = 0; i < COUNT; i++) {
      const file = data({ path: `d${i}`, partition: [i % 2 === 0 ? 'Seoul' : `city${i}`] });
      expect(index.forFile(file, 1n)).toHaveLength(1);
    }
  });

  it('share the list where all newer deletes apply, and find few among many by their ranges', () => {
    const wide = new DeleteFileIndex(
      Array.from({ length: COUNT }, (_, i) => equality(BigInt(i), range(i, 1e6))),
      OPTIONS,
    );
    const first = wide.forFile(data(range(0, 2e6)), 10n);
    expect(first).toHaveLength(COUNT - 11);
    expect(wide.forFile(data(range(5, 2e6)), 10n)).toBe(first);

    const narrow = new DeleteFileIndex(
      Array.from({ length: COUNT }, (_, i) => equality(9n, range(10 * i, 10 * i + 9))),
      OPTIONS,
    );
    for (let i = 0; i < COUNT; i += 10)
      expect(narrow.forFile(data(range(10 * i + 3, 10 * i + 12)), 1n)).toHaveLength(i === COUNT - 1 ? 1 : 2);
  });
});

/** Values of one type: nulls aside, that is all that a field can have. */
const typed = (a: unknown, b: unknown): boolean =>
  a === null ||
  b === null ||
  (typeof a === typeof b && typeof a !== 'object') ||
  (a instanceof Uint8Array && b instanceof Uint8Array);

describe('the key of a partition', () => {
  it('is equal for equal tuples alone', () => {
    const value = fc.oneof(
      fc.constantFrom(null, 0, -0, NaN, 1n, true, '', '_', '#1', '"1:_'),
      fc.string({ maxLength: 3 }),
      fc.uint8Array({ maxLength: 2 }),
    );
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(value, value).filter(([a, b]) => typed(a, b)),
          { maxLength: 4 },
        ),
        (pairs) => {
          const [left, right] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
          const same = pairs.every(([a, b]) =>
            a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.compare(a, b) === 0 : Object.is(a, b),
          );
          expect(partitionKey(1, left) === partitionKey(1, right)).toBe(same);
          expect(partitionKey(1, left)).not.toBe(partitionKey(2, left));
        },
      ),
    );
  });
});
