import * as fc from 'fast-check';
import { test } from 'vitest';

import { rowOperations } from '../../packages/core/test/transaction/operations/row-operations.model.ts';
import { runs } from '../support/runs.ts';
import { newWarehouse, s3FileIO } from './support.ts';

test('any sequence of operations leaves the rows that a model has', { timeout: runs(120_000) }, async () => {
  const newPlace = async () => ({ io: s3FileIO(), warehouse: await newWarehouse() });
  await fc.assert(rowOperations(newPlace), { numRuns: runs(5) });
});
