// Web logs to play with: three days, and each day the events have something that they didn't have before.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const EVENTS_A_DAY = 2000;

type Fields = Readonly<Record<string, unknown>>;

const DAYS: readonly {
  readonly day: string;
  readonly client: (n: number) => Fields;
  readonly more: (n: number) => Fields;
}[] = [
  { day: '2026-03-01', client: () => ({}), more: () => ({}) },
  { day: '2026-03-02', client: (n) => ({ country: ['KR', 'DE', null][n % 3] }), more: () => ({}) },
  {
    day: '2026-03-03',
    client: (n) => ({ country: ['KR', 'DE', null][n % 3] }),
    more: (n) => ({ referrer: n % 4 === 0 ? null : 'https://example.org/', timing: { db: n % 7, total: n % 90 } }),
  },
];

/** Writes one file per day into a new directory, and returns that. */
export async function writeSampleLogs(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'logs-'));
  for (const { day, client, more } of DAYS) {
    const lines = Array.from({ length: EVENTS_A_DAY }, (_, n) => {
      const event = {
        id: `${day}-${n}`,
        ts: new Date(Date.parse(day) + Math.floor((n * 86_400_000) / EVENTS_A_DAY)).toISOString(),
        method: n % 10 === 0 ? 'POST' : 'GET',
        path: `/articles/${(n * n) % 97}`,
        status: n % 50 === 0 ? 500 : 200,
        bytes: 500 + ((n * 7919) % 20_000),
        client: { ip: `10.0.${n % 256}.${(n * 31) % 256}`, ...client(n) },
        ...more(n),
      };
      return `${JSON.stringify(event)}\n`;
    });
    await writeFile(join(directory, `access-${day}.jsonl`), lines.join(''));
  }
  return directory;
}
