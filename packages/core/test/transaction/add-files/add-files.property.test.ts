import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../../tests/support/runs.ts';
import { parquetName } from '../../../src/formats/parquet/parquet-names.ts';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import { allFields } from '../../../src/spec/assign-ids.ts';
import { partitionBy } from '../../../src/spec/partition-by.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import { UNPARTITIONED_SPEC } from '../../../src/spec/partition-spec.ts';
import { UNSORTED } from '../../../src/spec/sort-order.ts';
import { fromValue } from '../../../src/spec/user-values.ts';
import { SeededRuntime } from '../../../src/testing/seeded-runtime.ts';
import { writeDataFiles } from '../../../src/write/data-writer.ts';
import { withoutFieldIds } from '../../read/without-ids.ts';
import { newTable } from '../../table/support.ts';
import { batchOf, schemaAndRows, stream } from '../../write/support.ts';
import { writeFile } from './support.ts';

test('rows of any shape are those of the files, by ids or by names', async () => {
  await fc.assert(
    fc.asyncProperty(schemaAndRows, fc.boolean(), async ({ shape, rows }, hasIds) => {
      const io = new MemoryFileIO();
      const table = await newTable({ schema: shape, formatVersion: 3 }, { io });
      const [file] = await writeDataFiles(stream(batchOf(table.schema, rows)), {
        io,
        schema: table.schema,
        spec: UNPARTITIONED_SPEC,
        sortOrder: UNSORTED,
        properties: {},
        locationFor: (name) => `memory:/in/${name}`,
        runtime: new SeededRuntime(1),
      });
      // Columns of type unknown are stored nowhere; names that Avro doesn't allow are spelled differently in files.
      const stored = allFields(shape).every(({ name, type }) => parquetName(name) === name && type.kind !== 'unknown');
      fc.pre(stored || (hasIds && file!.columnSizes!.size > 0));
      if (!hasIds) await io.write(file!.path, withoutFieldIds(await io.read(file!.path)));
      await table.addFiles([file!.path]);
      const given = rows.map((row) =>
        Object.fromEntries(shape.fields.map(({ name, type }, i) => [name, fromValue(type, row[i]!)])),
      );
      expect(await table.scan().toRows()).toEqual(given);
    }),
    { numRuns: runs(25) },
  );
});

const row = fc.record({
  i: fc.option(fc.integer({ min: -3, max: 3 })),
  d: fc.option(fc.constantFrom(NaN, -0, 0, 1.5, -1.5, Infinity)),
  s: fc.option(fc.constantFrom('', 'a', 'ab', 'b', '\u{10ffff}', 'a'.repeat(40))),
  n: fc.option(fc.record({ x: fc.option(fc.integer({ min: -3, max: 3 })) })),
});
const filter = fc
  .tuple(
    fc.constantFrom('i', 'd', 'n.x'),
    fc.constantFrom('=', '!=', '<', '<=', '>', '>='),
    fc.integer({ min: -3, max: 3 }),
  )
  .map((parts) => parts.join(' '));
const textFilter = fc
  .tuple(fc.constantFrom('=', '!=', '<', '>'), fc.constantFrom('a', 'ab', 'b'))
  .map(([op, text]) => `s ${op} '${text}'`);
const nullFilter = fc.constantFrom(
  'i IS NULL',
  'd IS NOT NULL',
  'd IS NAN',
  's IS NULL',
  'n IS NULL',
  'n.x IS NOT NULL',
);

test('no filter drops a file with rows that match', async () => {
  const columns = { i: t.int(), d: t.float(), s: t.string(), n: t.struct({ x: t.int() }) };
  const wide = schema({ i: t.long(), d: t.double(), s: t.string(), n: t.struct({ x: t.long() }) });
  const files = fc.array(fc.array(row, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      files,
      fc.array(fc.oneof(filter, textFilter, nullFilter), { minLength: 3, maxLength: 3 }),
      async (all, filters) => {
        const io = new MemoryFileIO();
        const [table, plain] = [await newTable({ schema: wide }, { io }), await newTable({ schema: wide })];
        for (const [i, rows] of all.entries()) {
          await writeFile(io, `memory:/in/${i}.parquet`, columns, rows);
          await plain.append(rows);
        }
        await table.addFiles('memory:/in');
        for (const text of filters) {
          const counts = [await table.scan({ filter: text }).count(), await plain.scan({ filter: text }).count()];
          expect([text, counts[0]]).toEqual([text, counts[1]]);
        }
      },
    ),
    { numRuns: runs(10) },
  );
});

test('files are in the partition that appending their rows would put them in, or refused', async () => {
  const columns = { i: t.int(), s: t.string() };
  const fields = fc.constantFrom(
    partitionBy.identity('i'),
    partitionBy.bucket(3, 'i'),
    partitionBy.truncate(2, 'i'),
    partitionBy.identity('s'),
    partitionBy.truncate(1, 's'),
    partitionBy.bucket(3, 's'),
  );
  let added = 0;
  await fc.assert(
    fc.asyncProperty(fields, fc.array(row, { minLength: 1, maxLength: 2 }), async (field, drawn) => {
      const rows = drawn.map(({ i, s }) => ({ i, s }));
      const io = new MemoryFileIO();
      const options = { schema: schema(columns), partitionBy: [field] };
      const [table, plain] = [await newTable(options, { io }), await newTable(options)];
      await plain.append(rows);
      const partitions = await plain.inspect('partitions');
      const file = await writeFile(io, 'memory:/in.parquet', columns, rows);
      try {
        await table.addFiles([file]);
      } catch {
        return;
      }
      added++;
      expect(partitions.numRows).toBe(1);
      const key = (one: typeof partitions) => JSON.stringify(one.getChild('partition')!.get(0));
      expect(key(await table.inspect('partitions'))).toBe(key(partitions));
    }),
    { numRuns: runs(40) },
  );
  expect(added).toBeGreaterThan(10);
});
