import { expect, test } from 'vitest';
import { LakehouseError } from '../../src/errors.ts';
import type { Action } from '../../src/transaction/action.ts';
import { snapshotChangeAction } from '../../src/transaction/snapshot-change-action.ts';
import { expectError } from '../table/support.ts';
import { ChangeTable } from './change-support.ts';

const gone = (): LakehouseError => new LakehouseError('NOT_FOUND', 'There is no such manifest.');

test('files that an expiry deletes while a change is built are those of an older version', async () => {
  const table = await ChangeTable.create();
  await table.append(await table.dataFile());
  const inner = snapshotChangeAction(await table.change({ operation: 'append', add: [await table.dataFile('b')] }));
  const attempts: number[] = [];
  const action: Action = {
    async build(metadata, attempt) {
      attempts.push(attempt.number);
      if (attempt.number > 1) return inner.build(metadata, attempt);
      await table.append(await table.dataFile('c'));
      throw gone();
    },
  };
  const { commit } = await table.commitActions([action]);
  expect(commit).toMatchObject({ changed: true, attempts: 2 });
  expect(attempts).toEqual([1, 2]);
  expect(await table.livePaths()).toHaveLength(3);
});

test('files that are gone although nobody has committed are an error', async () => {
  const table = await ChangeTable.create();
  await table.append(await table.dataFile());
  const action: Action = { build: () => Promise.reject(gone()) };
  await expectError(table.commitActions([action]), 'NOT_FOUND', /no such manifest/);
});
