import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isLakehouseError } from '../../../src/errors.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import { batchOf, read, stream, taskOf, write } from '../../write/support.ts';
import type { Row } from '../../write/support.ts';

const shape = schema({
  id: t.long(),
  name: t.string(),
  tags: t.list(t.string()),
  at: t.struct({ lat: t.double(), lon: t.double() }),
});
const rows: Row[] = Array.from({ length: 50 }, (_, i) => [BigInt(i), `name ${i % 7}`, ['a', `b${i}`], [i / 3, -i]]);

test('a damaged file is INVALID_DATA or reads as something, and the next file reads well', async () => {
  const { io, files } = await write(shape, stream(batchOf(shape, rows)));
  const file = files[0]!;
  const good = await io.read(file.path);
  const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(damage, async (changes) => {
      const bytes = good.slice();
      for (const [at, byte] of changes) bytes[at] = byte;
      await io.write(file.path, bytes);
      try {
        await read(io, taskOf(file, shape));
      } catch (error) {
        if (!isLakehouseError(error)) throw error;
        expect(['INVALID_DATA', 'UNSUPPORTED', 'UNAVAILABLE']).toContain(error.code);
      }
    }),
    { numRuns: 300 },
  );
  await io.write(file.path, good);
  expect(await read(io, taskOf(file, shape))).toEqual(rows);
});

test('a file cut short anywhere is INVALID_DATA', async () => {
  const { io, files } = await write(shape, stream(batchOf(shape, rows)));
  const file = files[0]!;
  const good = await io.read(file.path);
  for (let length = 0; length < good.length; length += 97) {
    await io.write(file.path, good.slice(0, length));
    const error = await read(io, taskOf({ ...file, fileSizeInBytes: length }, shape)).catch(
      (reason: unknown) => reason,
    );
    expect(isLakehouseError(error, 'INVALID_DATA'), String(error)).toBe(true);
  }
});
