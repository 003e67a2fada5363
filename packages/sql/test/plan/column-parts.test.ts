import { afterAll, expect, test } from 'vitest';
import { columnParts } from '../../src/plan/column-parts.ts';
import { Planner } from '../../src/plan/planner.ts';

const planner = await Planner.open(null);
afterAll(() => planner.close());
const [shadow] = await planner.shadows([
  [
    { name: 'id', type: 'BIGINT' },
    { name: 's', type: 'STRUCT(a INTEGER, b STRUCT(c VARCHAR, d VARCHAR))' },
    { name: 'm', type: 'MAP(INTEGER, BLOB)' },
  ],
]);

/** What is read of `s`; null if that is all of it. */
async function partsOfS(sql: string): Promise<readonly string[] | null> {
  const settings = new Map<string, string>();
  const plan = await planner.plan(sql.replaceAll('$t', shadow!), settings);
  if (!plan.ok) throw new Error(plan.error.message);
  const paths = columnParts(plan.root, shadow!).get(1);
  return paths ? [...new Set(paths.map((path) => path.join('.')))].toSorted() : null;
}

test.each<readonly [string, readonly string[] | null]>([
  ['SELECT s.a FROM $t', ['a']],
  ['SELECT s.a + 1, upper(s.b.c) FROM $t', ['a', 'b.c']],
  ["SELECT s['b'].d, struct_extract(s, 'a') FROM $t", ['a', 'b.d']],
  ["SELECT s.a FROM $t WHERE s.b.c = 'x'", ['a', 'b.c']],
  ['SELECT s.a FROM $t WHERE length(s.b.c) > id', ['a', 'b.c']],
  ['SELECT max(s.a) FROM $t GROUP BY s.b.d', ['a', 'b.d']],
  ['SELECT x.a FROM (SELECT s.a AS a FROM $t LIMIT 3) AS x', ['a']],
  ['SELECT s FROM $t', null],
  ['SELECT s.a, s FROM $t', null],
  ['SELECT s.a FROM $t WHERE s IS NOT NULL', null],
  ['SELECT s.a, s.b FROM $t', ['a', 'b']],
  ['SELECT y.s.a FROM $t AS y JOIN $t AS z ON y.id = z.s.b', ['a', 'b']],
  ['SELECT z.s.a FROM (SELECT 1 AS one, 2 AS two) LEFT JOIN $t AS z ON one = z.id', ['a']],
  ['SELECT y.s.a, z.s.b.c FROM $t AS y JOIN $t AS z USING (id) JOIN $t AS x ON x.s.b.d = y.s.b.c', ['a', 'b.c', 'b.d']],
  ['SELECT s.a FROM $t WHERE id IN (SELECT s.a FROM $t)', ['a']],
  [
    'SELECT y.s.a FROM $t AS y JOIN $t AS z ON y.s.a + z.s.a > 3 AND y.id = z.id AND length(y.s.b.c || z.s.b.d) > 1',
    ['a', 'b.c', 'b.d'],
  ],
  ['SELECT y.s.a FROM $t AS y LEFT JOIN $t AS z ON y.s.a + z.s.a > 3 AND y.id = z.id', null],
  ['SELECT s.a FROM $t, range(3)', ['a']],
  ['SELECT y.s.a FROM $t AS y WHERE EXISTS (SELECT 1 FROM $t AS z WHERE z.s.b.c = y.s.b.d)', null],
  ['SELECT y.s.a FROM $t AS y JOIN $t AS z ON y.s = z.s', null],
  ['SELECT s.a FROM $t ORDER BY s.b.c', ['a', 'b.c']],
  ['SELECT id FROM $t', null],
])('%s', async (sql, parts) => {
  expect(await partsOfS(sql)).toEqual(parts);
});
