import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../../tests/support/runs.ts';
import { openWarehouse } from '../../support.ts';
import { anyTable } from '../../write/arbitrary-tables.ts';

// Rows of any type go through INSERT … SELECT, CREATE TABLE AS and INSERT OVERWRITE as they are, in one transaction or in
// several commits.

const { lake, catalog } = await openWarehouse();
let tables = 0;

/** Rows without their order, in a form that tells all values apart. */
async function sorted(table: string): Promise<string[]> {
  const rows = await (await lake.sql(`SELECT * FROM ${table}`)).rows();
  return rows.map((row) => JSON.stringify(row, tagged)).toSorted();
}

function tagged(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (value instanceof Map) return [...(value as ReadonlyMap<unknown, unknown>)];
  return value;
}

test('rows that are inserted come back as they were', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyTable,
      fc.boolean(),
      async ({ shape, rows, partitionBy, sortBy, properties }, inTransaction) => {
        const [source, target, made] = ['s', 't', 'm'].map((kind) => `ns.${kind}${tables}`) as [string, string, string];
        tables++;
        await (await catalog.createTable(source, { schema: shape })).append(rows);
        await catalog.createTable(target, { schema: shape, partitionBy, sortBy, properties });
        const wanted = await sorted(source);
        const reversed = shape.fields.map(({ name }) => `"${name}"`).toReversed();
        if (inTransaction) await lake.sql('BEGIN');
        const byPosition = await lake.sql(`INSERT INTO ${target} SELECT * FROM ${source}`);
        const listed = reversed.join(', ');
        const byList = await lake.sql(`INSERT INTO ${target} (${listed}) SELECT ${listed} FROM ${source}`);
        const byName = await lake.sql(`INSERT INTO ${target} BY NAME SELECT ${listed} FROM ${source}`);
        expect([byPosition.rowCount, byList.rowCount, byName.rowCount]).toEqual([1, 1, 1].map(() => rows.length));
        const thrice = wanted.flatMap((row) => [row, row, row]);
        expect(await sorted(target)).toEqual(thrice);
        if (inTransaction) await lake.sql('COMMIT');
        expect(await sorted(target)).toEqual(thrice);
        expect((await catalog.loadTable(target)).snapshots()).toHaveLength(3);
        // Every partition of the target gets rows.
        await lake.sql(`INSERT OVERWRITE ${target} SELECT * FROM ${source}`);
        expect(await sorted(target)).toEqual(wanted);
        await lake.sql(`CREATE TABLE ${made} AS SELECT * FROM ${target}`);
        expect(await sorted(made)).toEqual(wanted);
      },
    ),
    { numRuns: runs(10) },
  );
}, 600_000);
