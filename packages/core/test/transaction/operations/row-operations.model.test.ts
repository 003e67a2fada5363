import * as fc from 'fast-check';
import { test } from 'vitest';
import { runs } from '../../../../../tests/support/runs.ts';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import { rowOperations } from './row-operations.model.ts';

test('any sequence of operations, others in the middle of them, leaves the rows that a model has', async () => {
  const newPlace = async () => ({ io: new MemoryFileIO(), warehouse: 'memory:/wh' });
  await fc.assert(rowOperations(newPlace), { numRuns: runs(25) });
});
