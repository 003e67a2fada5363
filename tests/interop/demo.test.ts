import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { newestMetadata } from './newest-metadata.ts';
import { python } from './python.ts';

const require = createRequire(import.meta.url);
const demo = fileURLToPath(new URL('../../examples/dist/demo.js', import.meta.url));
const flights = join(dirname(require.resolve('vega-datasets')), '../data/flights-3m.parquet');

let warehouse: string;
let found: Record<string, { rows: number; missing: number; extra: number }>;

beforeAll(async () => {
  warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-demo-'));
  const { status, stderr } = spawnSync(process.execPath, [demo, warehouse], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The demo failed: ${stderr}`);
  const metadata = await newestMetadata(join(warehouse, 'air', 'flights'));
  found = JSON.parse(await python('read_demo.py', JSON.stringify({ metadata, flights }))) as typeof found;
});

afterAll(() => rm(warehouse, { recursive: true, force: true }));

test.each(['PyIceberg', 'DuckDB'])("%s finds the demo's three million flights", (engine) => {
  expect(found[engine]).toEqual({ rows: 3_000_000, missing: 0, extra: 0 });
});
