import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkedFooter, readFooterBytes } from '../../../src/formats/parquet/footer.ts';
import { partialFile } from '../../../src/formats/parquet/partial-file.ts';
import type { ParquetFooter } from '../../../src/formats/parquet/footer.ts';
import { readTaskColumns } from '../../../src/read/read-task.ts';
import { taskOfBytes } from '../../read/avro-support.ts';
import { batchOf, rowsOf, schemaAndRows, stream, write } from '../../write/support.ts';

const START = 100;

/** The partial file's bytes, from those of the whole one. */
function partOf(bytes: Uint8Array, footer: ParquetFooter, rowGroups: readonly number[], leaves: readonly number[]) {
  const { chunks, end, endAt } = partialFile(footer, rowGroups, leaves, START);
  const part = new Uint8Array(endAt + end.length);
  for (const { offset, length, at } of chunks) part.set(bytes.subarray(offset, offset + length), at);
  part.set(end, endAt);
  return { part, chunks };
}

test('a partial file has the rows of its row groups and the values of its columns', async () => {
  const groups = fc.uniqueArray(fc.nat(3), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(schemaAndRows, groups, fc.infiniteStream(fc.boolean()), async ({ shape, rows }, some, coins) => {
      // Every row is a row group of its own.
      const batches = rows.slice(0, 4).map((row) => batchOf(shape, [row]));
      const { io, files } = await write(shape, stream(...batches), {
        properties: { 'write.parquet.row-group-size-bytes': '1' },
      });
      const { path, fileSizeInBytes: size } = files[0]!;
      const bytes = await io.read(path);
      const footer = checkedFooter(await readFooterBytes(io, path, size, { tailSize: 1 }), path, size);
      expect(footer.rowGroups).toHaveLength(batches.length);
      const rowGroups = some.filter((group) => group < batches.length).toSorted((a, b) => a - b);
      const columns = footer.root.children.filter(() => coins.next().value);
      const leaves = columns.flatMap(({ leaves: [from, to] }) => Array.from({ length: to - from }, (_, i) => from + i));
      const { part, chunks } = partOf(bytes, footer, rowGroups, leaves);
      expect(chunks).toHaveLength(rowGroups.length * leaves.length);

      const names = new Set(columns.map(({ fieldId }) => fieldId));
      const projection = { ...shape, fields: shape.fields.filter(({ id }) => names.has(id)) };
      const read = async (file: Uint8Array) => {
        const { io: one, task } = await taskOfBytes(file, 'parquet', shape);
        const found: unknown[] = [];
        for await (const batch of readTaskColumns(one, task, { projection })) found.push(...rowsOf(projection, batch));
        return found;
      };
      const all = await read(bytes);
      expect(await read(part)).toEqual(rowGroups.map((group) => all[group]));
    }),
    { numRuns: 30 },
  );
});

test('what a partial file lacks is not taken for something else', async () => {
  await fc.assert(
    fc.asyncProperty(schemaAndRows, async ({ shape, rows }) => {
      const { io, files } = await write(shape, stream(batchOf(shape, rows)));
      const { path, fileSizeInBytes: size } = files[0]!;
      const footer = checkedFooter(await readFooterBytes(io, path, size), path, size);
      fc.pre(footer.leaves.length > 0);
      const { part } = partOf(await io.read(path), footer, [0], []);
      const { io: one, task } = await taskOfBytes(part, 'parquet', shape);
      const read = async () => {
        for await (const _ of readTaskColumns(one, task, { projection: shape }));
      };
      await expect(read()).rejects.toMatchObject({ code: 'INVALID_DATA' });
    }),
    { numRuns: 20 },
  );
});
