import * as fc from 'fast-check';
import { test } from 'vitest';

import { rowOperations } from '../../packages/core/test/transaction/operations/row-operations.model.ts';
import { runs } from '../support/runs.ts';
import { newWarehouse, s3FileIO } from './support.ts';

test('any sequence of operations, others in the middle of them, leaves the rows that a model has', async () => {
  const newPlace = async () => ({ io: s3FileIO(), warehouse: await newWarehouse() });
  await fc.assert(rowOperations(newPlace), { numRuns: runs(5) });
});
