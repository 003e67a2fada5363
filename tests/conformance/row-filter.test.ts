import { expect, test } from 'vitest';

import { schemaFromJson } from '../../packages/core/src/spec/schema-json.ts';
import { expectedTables } from './fixtures.ts';
import { countOfExpectedRows } from './plans.ts';

// The suite counts rows itself where Spark has no count, so where it has one both have to agree.
test("the suite's own filter of rows agrees with Spark", () => {
  const differences: string[] = [];
  for (const expected of expectedTables()) {
    const schema = schemaFromJson(expected.exact.schema);
    for (const plan of expected.plans) {
      if (typeof plan.matchingRowCount !== 'number' || plan.snapshotId) continue;
      const count = countOfExpectedRows(expected, plan, schema);
      if (count !== null && count !== plan.matchingRowCount) {
        differences.push(`${expected.table} ${plan.sql}: ${count}, Spark ${plan.matchingRowCount}`);
      }
    }
  }
  expect(differences).toEqual([]);
});
