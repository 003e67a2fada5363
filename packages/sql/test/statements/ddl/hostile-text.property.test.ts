import { MemoryCatalog, isLakehouseError, schema, t } from '@lh/core';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runs } from '../../../../../tests/support/runs.ts';
import { Lakehouse } from '../../../src/index.ts';
import { quoteName } from '../../../src/text/quote.ts';
import { anyName } from './arbitrary-definitions.ts';

const catalog = new MemoryCatalog({ name: 'mem' });
const lake = await Lakehouse.open({ catalog });
const shape = schema({ id: t.long(), ts: t.timestamp(), geo: t.struct({ lat: t.double() }), tags: t.list(t.string()) });

/** Everything that is there goes, and `ns.t` is made again. */
async function begin(): Promise<void> {
  await lake.sql('USE memory.main');
  await dropAll([]);
  await catalog.createNamespace('ns');
  await catalog.createTable('ns.t', { schema: shape });
}

async function dropAll(parent: readonly string[]): Promise<void> {
  for (const namespace of await catalog.listNamespaces(parent)) {
    await dropAll(namespace);
    for (const table of await catalog.listTables(namespace)) await catalog.dropTable(table);
    await catalog.dropNamespace(namespace);
  }
}

beforeAll(begin);
afterAll(() => lake.close());

const word = fc.constantFrom(
  ...(
    'add drop alter column columns rename to set unset tblproperties properties partition field with as write ordered by unordered locally distributed ' +
    'create or replace branch tag if not exists of version retain days snapshot retention snapshots first after comment default type data null ' +
    'identifier fields table using iceberg partitioned location like include primary key bucket truncate year void array map struct list decimal int ' +
    'bigint timestamp zone time fixed geometry id ts geo geo.lat tags tags.element ns ns.t partitioning sorted_by format_version extra_properties desc nulls last'
  ).split(' '),
);
const mark = fc.constantFrom(...'( ) [ ] { } < > , . : ; = - + * ? @ #'.split(' '));
const constant = fc.oneof(
  fc.constantFrom(
    "'x'",
    "''",
    "'it''s'",
    '$$x$$',
    "E'\\n'",
    "X'00'",
    '0',
    '1',
    '16',
    '-1',
    '1.5',
    '1e5',
    '99999999999999999999',
    "'days(ts)'",
    "'id DESC'",
    'ARRAY[]',
  ),
  anyName.map(quoteName),
);
const token = fc.oneof(
  { weight: 6, arbitrary: word },
  { weight: 2, arbitrary: mark },
  { weight: 2, arbitrary: constant },
);
const tokens = fc.array(token, { maxLength: 14 }).map((list) => list.join(' '));
const start = fc.constantFrom(
  'ALTER TABLE ns.t',
  'ALTER TABLE ns.t ADD COLUMN',
  'ALTER TABLE ns.t SET TBLPROPERTIES',
  'ALTER TABLE ns.t SET PROPERTIES',
  'ALTER TABLE ns.t WRITE',
  'ALTER TABLE ns.t ADD PARTITION FIELD',
  'ALTER TABLE ns.t CREATE BRANCH',
  'ALTER TABLE ns.t ALTER COLUMN id',
  'CREATE TABLE',
  'CREATE TABLE ns.u (',
  'CREATE TABLE ns.u (x int)',
  'CREATE OR REPLACE TABLE ns.u (x',
  'DROP TABLE',
  'DROP SCHEMA',
  'CREATE SCHEMA',
  'USE',
  'SHOW',
  'SHOW TABLES',
  'COMMENT ON',
  'COMMENT ON COLUMN ns.t.id IS',
  'CREATE TABLE ns.u WITH (',
);

/** What a text may be answered with that makes no sense. */
const ANSWERS: ReadonlySet<string> = new Set(['INVALID_ARGUMENT', 'NOT_FOUND', 'ALREADY_EXISTS', 'UNSUPPORTED']);

test('any text is done or refused, and what is refused changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(start, tokens, async (head, rest) => {
      const before = await catalog.loadTable('ns.t');
      try {
        await lake.sql(`${head} ${rest}`);
        await begin();
      } catch (error) {
        expect(isLakehouseError(error), String(error)).toBe(true);
        expect(ANSWERS, String(error)).toContain((error as { code: string }).code);
        // Several statements are done one by one.
        if (rest.includes(';')) await begin();
        else expect((await catalog.loadTable('ns.t')).metadataLocation).toBe(before.metadataLocation);
      }
    }),
    { numRuns: runs(600) },
  );
}, 600_000);

test('names of every kind are names of namespaces, tables, columns, branches and properties', async () => {
  await fc.assert(
    fc.asyncProperty(anyName, anyName, anyName, async (namespace, name, column) => {
      fc.pre(namespace !== 'ns');
      const table = `${quoteName(namespace)}.${quoteName(name)}`;
      const quoted = quoteName(column);
      const text = `'${column.replaceAll("'", "''")}'`;
      await lake.sql(`CREATE SCHEMA ${quoteName(namespace)}`);
      try {
        await lake.sql(
          `CREATE TABLE ${table} (${quoted} int COMMENT ${text}, other struct<${quoted}: int>) PARTITIONED BY (bucket(2, ${quoted}) AS part) ORDERED BY ${quoted} COMMENT ${text}`,
        );
        await lake.sql(`USE ${quoteName(namespace)}`);
        await lake.sql(
          `ALTER TABLE ${quoteName(name)} ALTER COLUMN ${quoted} TYPE bigint, ALTER COLUMN other.${quoted} COMMENT ${text}, SET TBLPROPERTIES (${text} = ${text})`,
        );
        await lake.sql(`INSERT INTO ${table} (${quoted}) VALUES (1)`);
        await lake.sql(`ALTER TABLE ${table} CREATE BRANCH ${quoted}`);
        const made = await catalog.loadTable([namespace, name]);
        expect(made.schema.fields[0]).toMatchObject({ name: column, doc: column, type: { kind: 'long' } });
        expect(made.schema.fields[1]!.type).toMatchObject({ fields: [{ name: column, doc: column }] });
        expect(made.properties).toEqual({ [column]: column, comment: column });
        expect(Object.keys(made.refs())).toContain(column);
        expect(await (await lake.sql(`SELECT ${quoted} FROM ${quoteName(name)}`)).rows()).toEqual([{ [column]: 1n }]);
        await lake.sql(`USE memory.main; DROP TABLE ${table} PURGE; DROP SCHEMA ${quoteName(namespace)}`);
        expect(await catalog.namespaceExists([namespace])).toBe(false);
      } finally {
        await begin();
      }
    }),
    { numRuns: runs(10) },
  );
}, 600_000);
