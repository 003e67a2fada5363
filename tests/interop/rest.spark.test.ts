import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { type Interface, createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { RestCatalog } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { Lakehouse } from '@lh/sql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type RestServer, startRestServer } from '../support/rest/start-rest-server.ts';

// Spark and this library work on the same tables of one REST catalog, in turn: each sees what the other has done.

type Rows = readonly Readonly<Record<string, unknown>>[];

/** Spark in a process of its own, which runs statements one by one. */
class Spark {
  readonly #process: ChildProcess;
  readonly #lines: Interface;
  readonly #answers: AsyncIterator<string>;

  constructor(uri: string) {
    const script = fileURLToPath(new URL('spark_sql.py', import.meta.url));
    const interpreter = process.env['INTEROP_PYTHON'];
    if (interpreter === undefined) throw new Error('Run these tests with `npm run test:spark`.');
    this.#process = spawn(interpreter, [script, uri], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#lines = createInterface({ input: this.#process.stdout! });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  async sql(text: string): Promise<Rows> {
    this.#process.stdin!.write(`${JSON.stringify(text)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('Spark has ended.');
    const answer = JSON.parse(value) as { readonly rows?: Rows; readonly error?: string };
    if (answer.rows === undefined) throw new Error(`Spark can't do ${text}: ${answer.error}`);
    return answer.rows;
  }

  stop(): void {
    this.#process.kill();
    this.#lines.close();
  }
}

let server: RestServer;
let spark: Spark;
let lake: Lakehouse;

beforeAll(async () => {
  server = await startRestServer();
  spark = new Spark(server.uri);
  const catalog = await RestCatalog.open({ uri: server.uri, io: new LocalFileIO() });
  await catalog.createNamespace('db');
  lake = await Lakehouse.open({ catalog });
});

afterAll(async () => {
  await lake.close();
  spark.stop();
  await server.stop();
});

interface Step {
  /** A line of the matrix in docs/rest-catalog.md. */
  readonly does: string;
  /** `t` stands for the table, `V` for the format version. */
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

const MERGE_ON_READ = "'write.delete.mode'='merge-on-read','write.update.mode'='merge-on-read'";

const STEPS: readonly Step[] = [
  {
    does: 'CREATE TABLE … PARTITIONED BY',
    ours: [
      `CREATE TABLE t (id BIGINT NOT NULL, city VARCHAR, n INT) PARTITIONED BY (bucket(4, id)) TBLPROPERTIES ('format-version'='V',${MERGE_ON_READ})`,
    ],
    theirs: [
      `CREATE TABLE t (id BIGINT NOT NULL, city STRING, n INT) USING iceberg PARTITIONED BY (bucket(4, id)) TBLPROPERTIES ('format-version'='V',${MERGE_ON_READ})`,
    ],
  },
  {
    does: 'INSERT INTO',
    ours: ["INSERT INTO t VALUES (1, 'Seoul', 1), (2, 'Busan', 2), (3, 'Jeju', 3), (4, NULL, 4)"],
    theirs: ["INSERT INTO t VALUES (11, 'Seoul', 1), (12, 'Busan', 2), (13, 'Jeju', 3), (14, NULL, 4)"],
  },
  { does: 'DELETE, merge-on-read', ours: ['DELETE FROM t WHERE id = 11'], theirs: ['DELETE FROM t WHERE id = 1'] },
  {
    does: 'UPDATE, merge-on-read',
    ours: ["UPDATE t SET city = 'Ulsan' WHERE id = 12"],
    theirs: ["UPDATE t SET city = 'Daegu' WHERE id = 2"],
  },
  {
    does: 'MERGE INTO',
    ours: [
      "MERGE INTO t USING (SELECT 3 AS id, 'Mokpo' AS city UNION ALL SELECT 5, 'Suwon') s ON t.id = s.id " +
        'WHEN MATCHED THEN UPDATE SET city = s.city WHEN NOT MATCHED THEN INSERT (id, city) VALUES (s.id, s.city)',
    ],
    theirs: [
      "MERGE INTO t USING (SELECT 13 AS id, 'Mokpo' AS city UNION ALL SELECT 15, 'Suwon') s ON t.id = s.id " +
        'WHEN MATCHED THEN UPDATE SET city = s.city WHEN NOT MATCHED THEN INSERT (id, city) VALUES (s.id, s.city)',
    ],
  },
  {
    does: 'ALTER TABLE … ADD COLUMN, RENAME COLUMN',
    ours: ['ALTER TABLE t ADD COLUMN ours VARCHAR', 'ALTER TABLE t RENAME COLUMN n TO m'],
    theirs: ['ALTER TABLE t ADD COLUMN theirs STRING', 'ALTER TABLE t RENAME COLUMN n TO m'],
  },
  {
    does: 'ALTER TABLE … ADD PARTITION FIELD, then INSERT',
    ours: [
      'ALTER TABLE t ADD PARTITION FIELD truncate(1, city)',
      "INSERT INTO t (id, city, m) VALUES (6, 'Sejong', 6)",
    ],
    theirs: [
      'ALTER TABLE t ADD PARTITION FIELD truncate(1, city)',
      "INSERT INTO t (id, city, m) VALUES (16, 'Sejong', 6)",
    ],
  },
  {
    does: 'DELETE, copy-on-write',
    ours: ["ALTER TABLE t SET TBLPROPERTIES ('write.delete.mode'='copy-on-write')", 'DELETE FROM t WHERE id = 4'],
    theirs: ["ALTER TABLE t SET TBLPROPERTIES ('write.delete.mode'='copy-on-write')", 'DELETE FROM t WHERE id = 14'],
  },
  {
    does: 'CALL system.rewrite_data_files',
    ours: ["CALL system.rewrite_data_files(table => 't', options => map('rewrite-all', 'true'))"],
    theirs: ["CALL rest.system.rewrite_data_files(table => 't', options => map('rewrite-all', 'true'))"],
  },
  {
    does: 'CREATE BRANCH, INSERT into it',
    ours: ['ALTER TABLE t CREATE BRANCH ours', 'INSERT INTO t.branch_ours (id) VALUES (7)'],
    theirs: ['ALTER TABLE t CREATE BRANCH theirs', 'INSERT INTO t.branch_theirs (id) VALUES (17)'],
  },
];

const readOurs = async (from: string): Promise<Rows> =>
  (await (await lake.sql(`SELECT * FROM ${from} ORDER BY id`)).rows()).map((row) =>
    Object.fromEntries(
      Object.entries(row).flatMap(([name, value]) =>
        value === null ? [] : [[name, typeof value === 'bigint' ? Number(value) : value]],
      ),
    ),
  );

/** Their JSON leaves nulls out. */
const readTheirs = (from: string): Promise<Rows> => spark.sql(`SELECT * FROM ${from} ORDER BY id`);

async function expectSame(table: string, formatVersion: string): Promise<void> {
  const rows = await readTheirs(`rest.${table}`);
  expect(await readOurs(table)).toEqual(rows);
  if (formatVersion !== '3') return;
  const ids = `SELECT id, _row_id AS r, _last_updated_sequence_number AS s FROM`;
  const theirs = await spark.sql(`${ids} rest.${table} ORDER BY id`);
  const ours = await (await lake.sql(`${ids} ${table} ORDER BY id`)).rows();
  expect(ours.map(({ id, r, s }) => ({ id: Number(id), r: Number(r), s: Number(s) }))).toEqual(theirs);
}

describe.each(['2', '3'])('tables of format version %s', (formatVersion) => {
  test.each(['ours first', 'theirs first'])('%s', { timeout: 600_000 }, async (order) => {
    const table = `db.${order.replace(' ', '_')}_v${formatVersion}`;
    const filled = (text: string, name: string): string =>
      text
        .replaceAll(/\bt\b(?=[ .])/g, name)
        .replaceAll("'t'", `'${name}'`)
        .replaceAll("'V'", `'${formatVersion}'`);
    const sides = {
      ours: async (texts: readonly string[]) => {
        for (const text of texts) await lake.sql(filled(text, table).replaceAll('t.id', `${table}.id`));
      },
      theirs: async (texts: readonly string[]) => {
        for (const text of texts) await spark.sql(filled(text, `rest.${table}`));
      },
    };
    const [first, second] = order === 'ours first' ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const);
    for (const [i, step] of STEPS.entries()) {
      await sides[first](step[first]);
      await expectSame(table, formatVersion);
      // There is one table, and a column is renamed once.
      if (i === 0) continue;
      const rest = step[second].filter((text) => !/RENAME|ADD PARTITION/.test(text));
      await sides[second](rest);
      await expectSame(table, formatVersion);
    }
    for (const branch of ['ours', 'theirs']) {
      const theirs = await spark.sql(`SELECT id FROM rest.${table}.branch_${branch} ORDER BY id`);
      const ours = await (await lake.sql(`SELECT id FROM ${table}.branch_${branch} ORDER BY id`)).rows();
      expect(ours.map(({ id }) => ({ id: Number(id) }))).toEqual(theirs);
    }
  });
});

test('the documentation has the matrix', async () => {
  const page = await readFile(new URL('../../docs/rest-catalog.md', import.meta.url), 'utf8');
  for (const { does } of STEPS) expect(page).toContain(`| \`${does}\` |`);
});
