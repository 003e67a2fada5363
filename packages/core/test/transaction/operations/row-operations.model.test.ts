import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../../tests/support/runs.ts';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import { rowOperations, stepsMade } from './row-operations.model.ts';

test('any sequence of operations, others in the middle of them, leaves the rows that a model has', async () => {
  const newPlace = async () => ({ io: new MemoryFileIO(), warehouse: 'memory:/wh' });
  await fc.assert(rowOperations(newPlace, 20), { numRuns: runs(270) });
  console.table(Object.fromEntries(stepsMade));
  expect([...stepsMade.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(runs(2000));
}, 600_000);
