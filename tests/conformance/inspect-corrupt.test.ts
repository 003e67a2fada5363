import { Table, isLakehouseError } from '@lh/core';
import { METADATA_TABLE_NAMES } from '@lh/core/engine';
import { afterAll, describe, expect, test } from 'vitest';

import { Guard } from '../support/guard.ts';
import { corruptCases, corruptFixture } from './fixtures.ts';

// Metadata tables of tables with something broken in them: rows, or an error that says what is broken, and soon.

const LIMIT_MS = 20_000;
const LIMIT_BYTES = 256 * 2 ** 20;

const guard = new Guard();
afterAll(() => guard.close());

describe.for(corruptCases().map((one) => [`${one.case}: ${one.broken}`, one] as const))('%s', ([, one]) => {
  test('metadata tables', async ({ task }) => {
    const { location, io } = corruptFixture(one);
    const { result: failures, peakBytes } = await guard.run(`${one.case} (${one.broken})`, LIMIT_MS, async () => {
      const found: unknown[] = [];
      for (const name of METADATA_TABLE_NAMES) {
        try {
          const table = await Table.load(location, { io });
          await table.inspect(name);
        } catch (error) {
          found.push(error);
        }
      }
      return found;
    });
    task.meta.peakBytes = peakBytes;
    expect(failures.filter((error) => !isLakehouseError(error))).toEqual([]);
    expect(peakBytes, 'bytes of memory').toBeLessThan(LIMIT_BYTES);
  });
});
