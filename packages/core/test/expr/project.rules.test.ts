import { describe, expect, it } from 'vitest';
import { bindExpression } from '../../src/expr/bind.ts';
import { manifestEvaluator } from '../../src/expr/manifest-evaluator.ts';
import { parseExpression } from '../../src/expr/parse.ts';
import { projectInclusive, projectStrict } from '../../src/expr/project.ts';
import { residualEvaluator } from '../../src/expr/residual.ts';
import { expressionToText } from '../../src/expr/to-text.ts';
import type { PartitionFieldSummary } from '../../src/spec/manifest.ts';
import { bindPartitionSpec, partitionBy } from '../../src/spec/partition-by.ts';
import type { PartitionFieldInput } from '../../src/spec/inputs.ts';
import type { PartitionSpec, PartitionTuple } from '../../src/spec/partition-spec.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { valueToBytes } from '../../src/spec/single-value.ts';
import type { PrimitiveType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';

const shape = schema({
  id: t.int(),
  long: t.long(),
  ts: t.timestamp(),
  day: t.date(),
  s: t.string(),
  d: t.double(),
  dec: t.decimal(9, 2),
});

function specOf(...fields: PartitionFieldInput[]): PartitionSpec {
  return bindPartitionSpec(shape, fields, { specId: 0, lastPartitionId: 999 });
}

const bound = (text: string) => bindExpression(shape, parseExpression(text));
const inclusive = (spec: PartitionSpec, text: string): string =>
  expressionToText(projectInclusive(spec, shape, bound(text)));
const strict = (spec: PartitionSpec, text: string): string => expressionToText(projectStrict(spec, shape, bound(text)));

/** By partition field: a filter, its inclusive and its strict projection. */
const RULES: [PartitionFieldInput, [string, string, string][]][] = [
  [
    partitionBy.identity('s', { name: 'p' }),
    [
      ["s < 'b'", "p < 'b'", "p < 'b'"],
      ["s != 'b' AND s IS NOT NULL", "p != 'b' AND p IS NOT NULL", "p != 'b' AND p IS NOT NULL"],
      ["truncate(2, s) = 'ab'", "truncate(2, p) = 'ab'", "truncate(2, p) = 'ab'"],
      ["s LIKE 'b%'", "starts_with(p, 'b')", "starts_with(p, 'b')"],
    ],
  ],
  [
    partitionBy.bucket(16, 'id', { name: 'p' }),
    [
      ['id = 34', 'p = 3', 'FALSE'],
      ['id != 34', 'p IS NOT NULL', 'p != 3'],
      ['id IN (34, 35)', 'p IN (3, 5)', 'FALSE'],
      ['id NOT IN (34, 35)', 'p IS NOT NULL', 'p NOT IN (3, 5)'],
      ['id < 34', 'p IS NOT NULL', 'FALSE'],
      ['id IS NULL', 'p IS NULL', 'p IS NULL'],
      ['bucket(16, id) > 3', 'p > 3', 'p > 3'],
      ['bucket(8, id) = 3', 'p IS NOT NULL', 'FALSE'],
    ],
  ],
  [
    partitionBy.truncate(10, 'id', { name: 'p' }),
    [
      ['id < 20', 'p <= 10 OR p = 2147483646', 'p < 20'],
      ['id < 25', 'p <= 20 OR p = 2147483646', 'p < 20'],
      ['id <= 29', 'p <= 20 OR p = 2147483646', 'p < 30'],
      ['id > 19', 'p >= 20', 'p > 10 AND p != 2147483646'],
      ['id >= 20', 'p >= 20', 'p > 10 AND p != 2147483646'],
      ['id = 25', 'p = 20', 'FALSE'],
      ['id != 25', 'p IS NOT NULL', 'p != 20'],
      ['truncate(10, id) = 20', 'p >= 20 AND (p <= 20 OR p = 2147483646)', 'p > 10 AND p != 2147483646 AND p < 30'],
    ],
  ],
  [
    partitionBy.truncate(10, 'dec', { name: 'p' }),
    [
      ['dec < 0.20', 'p <= 0.10', 'p < 0.20'],
      ['dec >= -0.05', 'p >= -0.10', 'p > -0.10'],
    ],
  ],
  [
    partitionBy.truncate(2, 's', { name: 'p' }),
    [
      ["s = 'a'", "p = 'a'", "p = 'a'"],
      ["s = 'abc'", "p = 'ab'", 'FALSE'],
      ["s IN ('a', 'abc')", "p IN ('a', 'ab')", "p IN ('a')"],
      ["s != 'a'", "p != 'a'", "p != 'a'"],
      ["s != 'abc'", 'p IS NOT NULL', "p != 'ab'"],
      ["s < 'ab'", "p < 'ab'", "p < 'ab'"],
      ["s < 'abc'", "p <= 'ab'", "p < 'ab'"],
      ["s > 'a'", "p > 'a'", "p > 'a'"],
      ["s > 'ab'", "p >= 'ab'", "p > 'ab'"],
      ["s >= 'ab'", "p >= 'ab'", "p >= 'ab'"],
      ["s >= 'abc'", "p >= 'ab'", "p > 'ab'"],
      ["s LIKE 'a%'", "starts_with(p, 'a')", "starts_with(p, 'a')"],
      ["s LIKE 'abc%'", "p = 'ab'", 'FALSE'],
      ["s NOT LIKE 'abc%'", 'p IS NOT NULL', "p != 'ab'"],
      ["truncate(1, s) = 'a'", "truncate(1, p) = 'a'", "truncate(1, p) = 'a'"],
      ["truncate(3, s) = 'abc'", 'p IS NOT NULL', 'FALSE'],
    ],
  ],
  [
    partitionBy.day('ts', { name: 'p' }),
    [
      ["ts > '2024-01-31T23:59:59.999999'", "p >= DATE '2024-02-01'", "p > DATE '2024-01-31'"],
      ["ts >= '2024-02-01'", "p >= DATE '2024-02-01'", "p > DATE '2024-01-31'"],
      ["ts < '2024-02-01'", "p <= DATE '2024-01-31'", "p < DATE '2024-02-01'"],
      ["ts <= '2024-02-01'", "p <= DATE '2024-02-01'", "p < DATE '2024-02-01'"],
      ["ts = '2024-02-01T12:00:00'", "p = DATE '2024-02-01'", 'FALSE'],
      [
        "day(ts) = '2024-02-01'",
        "p >= DATE '2024-02-01' AND p <= DATE '2024-02-01'",
        "p > DATE '2024-01-31' AND p < DATE '2024-02-02'",
      ],
      [
        'year(ts) = 2024',
        "p >= DATE '2024-01-01' AND p <= DATE '2024-12-31'",
        "p > DATE '2023-12-31' AND p < DATE '2025-01-01'",
      ],
    ],
  ],
  [
    partitionBy.month('day', { name: 'p' }),
    [
      ["day < '2024-03-01'", 'p <= 649', 'p < 650'],
      ["day >= '2024-03-01'", 'p >= 650', 'p > 649'],
      // Writers of old rounded times before 1970 towards zero.
      ["day = '1969-12-31'", 'p IN (-1, 0)', 'FALSE'],
      ["day != '1969-12-31'", 'p IS NOT NULL', 'p NOT IN (-1, 0)'],
      ["day < '1969-12-01'", 'p <= -1', 'p < -1'],
      ["day >= '1969-12-01'", 'p >= -1', 'p > -1'],
    ],
  ],
  [
    partitionBy.void('id', { name: 'p' }),
    [
      ['id = 5', 'TRUE', 'FALSE'],
      ['id IS NULL', 'TRUE', 'FALSE'],
    ],
  ],
];

describe.each(RULES.map(([field, rules]) => [`${field.transform.kind} of ${field.column}`, field, rules] as const))(
  '%s',
  (_, field, rules) => {
    it.each(rules)('%s', (text, inclusiveText, strictText) => {
      expect(inclusive(specOf(field), text)).toBe(inclusiveText);
      expect(strict(specOf(field), text)).toBe(strictText);
    });
  },
);

describe('specs', () => {
  it('use every field over a column: all for the inclusive, any for the strict projection', () => {
    const spec = specOf(partitionBy.bucket(4, 'id'), partitionBy.identity('id'));
    expect(inclusive(spec, 'id = 34')).toBe('id_bucket = 3 AND id = 34');
    expect(strict(spec, 'id = 34')).toBe('id = 34');
  });

  it('leave out columns that they do not use', () => {
    const spec = specOf(partitionBy.identity('s'));
    expect(inclusive(spec, "id = 1 AND s = 'a'")).toBe("s = 'a'");
    expect(inclusive(spec, "id = 1 OR s = 'a'")).toBe('TRUE');
    expect(strict(spec, "id = 1 AND s = 'a'")).toBe('FALSE');
    expect(strict(spec, "id = 1 OR s = 'a'")).toBe("s = 'a'");
  });

  it('ignore transforms of unknown name and of several columns', () => {
    const fields = [
      { sourceIds: [1], fieldId: 1000, name: 'z', transform: { kind: 'unknown', text: 'zorder' } as const },
      { sourceIds: [1, 2], fieldId: 1001, name: 'm', transform: { kind: 'bucket', buckets: 4 } as const },
    ];
    expect(inclusive({ specId: 0, fields }, 'id = 1')).toBe('TRUE');
    expect(strict({ specId: 0, fields }, 'id = 1')).toBe('FALSE');
  });
});

describe('residuals', () => {
  const spec = specOf(partitionBy.day('ts'), partitionBy.bucket(16, 'id'));
  const residual = (text: string, tuple: PartitionTuple): string =>
    expressionToText(residualEvaluator(spec, shape, bound(text))(tuple));

  it('lose what the partition decides', () => {
    const text = "ts >= '2024-02-01T12:00:00' AND id = 34 AND s = 'a'";
    expect(residual(text, [19754, 3])).toBe(bound(text) && expressionToText(bound(text)));
    expect(residual(text, [19755, 3])).toBe("id = 34 AND s = 'a'");
    expect(residual(text, [19753, 3])).toBe('FALSE');
    expect(residual(text, [19755, 4])).toBe('FALSE');
    expect(residual('NOT (id = 34)', [19755, 4])).toBe('TRUE');
    expect(residual("id != 34 OR ts < '2024-01-01'", [null, null])).toBe('FALSE');
  });

  it('are one object for all partitions that decide nothing', () => {
    const evaluate = residualEvaluator(spec, shape, bound("s = 'a' AND ts != '2024-02-01'"));
    expect(evaluate([19754, 3])).toBe(evaluate([19754, 4]));
  });
});

describe('manifests', () => {
  const summary = (
    type: PrimitiveType,
    lower: Value,
    upper: Value,
    more: Partial<PartitionFieldSummary> = {},
  ): PartitionFieldSummary => ({
    containsNull: false,
    containsNaN: false,
    lowerBound: lower === null ? null : valueToBytes(type, lower),
    upperBound: upper === null ? null : valueToBytes(type, upper),
    ...more,
  });
  const keeps = (field: PartitionFieldInput, text: string, ...summaries: PartitionFieldSummary[]): boolean =>
    manifestEvaluator(specOf(field), shape, bound(text))(summaries);
  const int: PrimitiveType = { kind: 'int' };
  const double: PrimitiveType = { kind: 'double' };

  it('are skipped by their bounds', () => {
    const month = summary(int, 600, 610);
    expect(keeps(partitionBy.month('ts'), "ts < '2019-01-01'", month)).toBe(false);
    expect(keeps(partitionBy.month('ts'), "ts < '2020-03-01'", month)).toBe(true);
    expect(keeps(partitionBy.identity('s'), "s LIKE 'b%'", summary({ kind: 'string' }, 'a', 'azz'))).toBe(false);
    expect(keeps(partitionBy.identity('s'), "s NOT LIKE 'a%'", summary({ kind: 'string' }, 'a', 'azz'))).toBe(false);
  });

  it('are skipped where all is null, and kept where nulls matter', () => {
    const nulls = summary(int, null, null, { containsNull: true });
    expect(keeps(partitionBy.identity('id'), 'id != 5', nulls)).toBe(false);
    expect(keeps(partitionBy.identity('id'), 'id IS NULL', nulls)).toBe(true);
    expect(keeps(partitionBy.identity('id'), 'id IS NULL', summary(int, 1, 2))).toBe(false);
    expect(keeps(partitionBy.identity('id'), 'id != 5', summary(int, 5, 5, { containsNull: true }))).toBe(false);
  });

  it('are kept where NaN may match', () => {
    const field = partitionBy.identity('d');
    expect(keeps(field, 'd > 5', summary(double, 1, 2, { containsNaN: true }))).toBe(true);
    expect(keeps(field, 'd > 5', summary(double, 1, 2, { containsNaN: null }))).toBe(true);
    expect(keeps(field, 'd > 5', summary(double, 1, 2))).toBe(false);
    expect(keeps(field, 'd < 5', summary(double, null, null, { containsNaN: true }))).toBe(false);
    expect(keeps(field, 'd > 5', summary(double, null, null, { containsNaN: true }))).toBe(true);
    expect(keeps(field, 'd > 5', summary(double, null, null, { containsNull: true, containsNaN: null }))).toBe(true);
  });

  it('are kept where the summary is missing, incomplete or inconsistent', () => {
    const field = partitionBy.identity('id');
    expect(manifestEvaluator(specOf(field), shape, bound('id = 5'))(null)).toBe(true);
    expect(keeps(field, 'id = 5')).toBe(true);
    expect(keeps(field, 'id = 5', summary(int, null, null))).toBe(true);
    expect(keeps(field, 'id = 5', summary(int, 9, 1))).toBe(true);
  });

  it('compare bounds of ints with longs after a promotion', () => {
    const field = partitionBy.identity('long');
    const promoted = {
      ...summary(int, null, null),
      lowerBound: valueToBytes(int, 1),
      upperBound: valueToBytes(int, 9),
    };
    expect(keeps(field, 'long = 5', promoted)).toBe(true);
    expect(keeps(field, 'long > 9', promoted)).toBe(false);
  });
});
