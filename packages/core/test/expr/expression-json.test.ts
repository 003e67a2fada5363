import { expect, test } from 'vitest';
import { bindExpression } from '../../src/expr/bind.ts';
import { expr } from '../../src/expr/expr.ts';
import type { Expression, Literal } from '../../src/expr/expression.ts';
import { expressionToJson } from '../../src/expr/expression-json.ts';
import { parseExpression } from '../../src/expr/parse.ts';
import { stringifyJson } from '../../src/spec/json.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';

// That plain filters are what Iceberg Java writes is tested against its own JSON, in tests/conformance.

const jsonOf = (expression: Expression): string => stringifyJson(expressionToJson(expression));
const valueOf = (value: Literal): unknown => (expressionToJson(expr.eq('a', value)) as { value: unknown }).value;

test('literals keep every digit, and their types', () => {
  expect(jsonOf(expr.eq('id', 9007199254740993n))).toBe('{"type":"eq","term":"id","value":9007199254740993}');
  expect(valueOf(Number.NaN)).toBe('NaN');
  expect(valueOf(-Infinity)).toBe('-Infinity');
  expect(valueOf(new Uint8Array([0, 255]))).toBe('00ff');
  expect(valueOf(new Date('2024-02-29T12:00:00.5Z'))).toBe('2024-02-29T12:00:00.500000+00:00');
  expect(jsonOf(parseExpression("a > TIMESTAMP '2024-02-29 12:00'"))).toContain('"2024-02-29T12:00:00.000000"');
  expect(jsonOf(parseExpression("a > TIMESTAMPTZ '2024-02-29 12:00:00.123456789+01:00'"))).toContain(
    '"2024-02-29T11:00:00.123456789+00:00"',
  );
  expect(jsonOf(parseExpression("a > DATE '2024-02-29'"))).toContain('"value":"2024-02-29"');
  expect(jsonOf(parseExpression('a > 12345678901234567890.12345'))).toContain('"value":"12345678901234567890.12345"');
});

test('transforms are terms', () => {
  expect(jsonOf(expr.eq(expr.bucket(16, 'id'), 3))).toBe(
    '{"type":"eq","term":{"type":"transform","transform":"bucket[16]","term":"id"},"value":3}',
  );
});

test('bound literals have the form of their column', () => {
  const shape = schema({ ts: t.timestamptz(), amount: t.decimal(10, 2), geo: t.struct({ lat: t.double() }) });
  const bound = bindExpression(shape, parseExpression("ts < '2024-01-01' AND amount IN (1, 2.5) AND geo.lat >= 1"));
  expect(stringifyJson(expressionToJson(bound))).toBe(
    '{"type":"and","left":{"type":"and","left":{"type":"lt","term":"ts","value":"2024-01-01T00:00:00.000000+00:00"},' +
      '"right":{"type":"in","term":"amount","values":["1.00","2.50"]}},' +
      '"right":{"type":"gt-eq","term":"geo.lat","value":1.0}}',
  );
});

test('chains of thousands are written', () => {
  const predicates = Array.from({ length: 20_000 }, (_, i) => expr.eq('id', i));
  const chain = predicates.reduce<Expression>((left, right) => ({ op: 'or', left, right }), predicates[0]!);
  expect(jsonOf(chain).match(/"eq"/g)).toHaveLength(20_001);
});
