import * as fc from 'fast-check';
import { test } from 'vitest';
import { runs } from '../../../../../tests/support/runs.ts';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import { rewrites } from '../../transaction/operations/row-operations.model.ts';

test('rewriting files changes no row and no lineage, whoever writes meanwhile and whatever the table has been', async () => {
  const newPlace = async () => ({ io: new MemoryFileIO(), warehouse: 'memory:/wh' });
  await fc.assert(rewrites(newPlace), { numRuns: runs(40) });
}, 300_000);
