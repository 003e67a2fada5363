// Five hundred appends of 10,000 rows as a web server would log them: JavaScript objects, a commit for each batch. Do
// rate and memory stay? Beside PyIceberg, which gets the same rows as dictionaries.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

import { pyIceberg } from './_peers.ts';
import { type Contender, bench } from './harness.ts';

const BATCHES = 500;
const AT_ONCE = 50;
const ROWS = 10_000;

const START = Date.UTC(2026, 0, 1);

const rows = Array.from({ length: ROWS }, (_, i) => ({
  id: BigInt(i),
  ts: new Date(START + i * 37),
  method: i % 7 === 0 ? 'POST' : 'GET',
  url: `/products/${(i * 7919) % 5000}?page=${i % 13}`,
  agent: `Mozilla/5.0 (X11; Linux x86_64) Browser/${i % 40}.0`,
  status: i % 50 === 0 ? 404 : 200,
  seconds: (i % 997) / 1000,
  tags: ['web', `shop-${i % 9}`],
}));

const folder = await mkdtemp(join(tmpdir(), 'lakehouse-bench-'));
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse: join(folder, 'warehouse') });
await catalog.createNamespace('bench');
const table = await catalog.createTable('bench.logs', {
  schema: schema({
    id: t.long().required(),
    ts: t.timestamptz().required(),
    method: t.string(),
    url: t.string(),
    agent: t.string(),
    status: t.int(),
    seconds: t.double(),
    tags: t.list(t.string()),
  }),
});
const peer = pyIceberg();

async function append(): Promise<void> {
  for (let i = 0; i < AT_ONCE; i++) await table.append(rows);
}

const ours = Array.from({ length: BATCHES / AT_ONCE }, (_, i): Contender => ({
  name: `batches ${i * AT_ONCE + 1} to ${(i + 1) * AT_ONCE}`,
  run: append,
}));
const theirs: Contender[] =
  peer === null
    ? []
    : [
        {
          name: `PyIceberg, 1 to ${AT_ONCE}`,
          run: () => peer.ask(`micro-batches ${AT_ONCE} ${ROWS}`, AT_ONCE * ROWS),
          timesItself: true,
        },
      ];

await bench({
  name: 'micro-batches',
  title: `${BATCHES} appends of ${ROWS.toLocaleString('en-US')} rows that are objects, by the ${AT_ONCE}`,
  work: { count: AT_ONCE * ROWS, unit: 'rows' },
  warmup: 0,
  rounds: 1,
  memory: true,
  contenders: [ours[0]!, ...ours.slice(1), ...theirs],
});

await peer?.stop();
await rm(folder, { recursive: true });
