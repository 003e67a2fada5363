import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

/** What each example prints. */
const printed: Readonly<Record<string, string>> = {
  'create-append-scan': `added 3 rows in 2 files
the filter leaves 1 of 2 files
{
  id: 3n,
  ts: '2026-03-02T08:15:00.000001Z',
  city: 'Seoul',
  amount: null
}
`,
  'schema-evolution': `{
  client: 'Bob',
  id: 9007199254740993n,
  amount: '1.00',
  address: { city: 'Seoul', zip: '04524' }
}
{ client: 'Ann', id: 1n, amount: '12.50', address: null }
INVALID_ARGUMENT: 'id' can't change from long to int: a column can only go from int to long, from float to double, to a decimal of more digits and the same scale, and in format version 3 from date to timestamp or from unknown to any type.
`,
  'partition-evolution': `ts = '2026-02-15': 1 of 7 files, partitioned by ts_month
ts = '2026-05-15': 1 of 7 files, partitioned by ts_day, id_bucket
`,
  'time-travel': `now [ { item: 'coffee', price: 4 }, { item: 'tea', price: 3 } ]
by snapshot [ { item: 'tea', price: 3 } ]
by time [ { item: 'tea', price: 3 } ]
2 entries in the history
`,
  'concurrent-writers': `20 snapshots, 20 rows
`,
  'arrow-streams': `25000 rows, sum 0.630579
[ 1, 2, 3 ]
`,
  sql: `[ { region: 'north', total: '42.50' } ]
shop.sales: 2 of 3 files, by city = 'Seoul'
[ { n: 2n } ]
`,
};

test('every example is run', () => {
  const names = readdirSync(`${examples}src`).filter((file) => file.endsWith('.ts') && file !== 'demo.ts');
  expect(Object.keys(printed).toSorted()).toEqual(names.map((file) => file.slice(0, -3)).toSorted());
});

test.each(Object.entries(printed))('%s', async (name, output) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [`${examples}dist/${name}.js`]);
  expect(stderr).toBe('');
  expect(stdout).toBe(output);
});
