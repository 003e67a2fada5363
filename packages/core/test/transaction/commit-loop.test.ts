import { expect, test } from 'vitest';
import { LakehouseError } from '../../src/errors.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import type { Runtime } from '../../src/runtime.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { Table } from '../../src/table.ts';
import { FaultInjectingFileIO } from '../../src/testing/fault-injecting-file-io.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import type { Action } from '../../src/transaction/action.ts';
import { snapshotChangeAction } from '../../src/transaction/snapshot-change-action.ts';
import { expectError, newTable } from '../table/support.ts';
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

test('a job that finds its commit made before makes sure that it lasts', async () => {
  const io = new MemoryFileIO();
  const runtime = new SeededRuntime(1);
  const made = await newTable({ schema: schema({ id: t.long() }) }, { io, runtime });
  await made.append([{ id: 1n }], { idempotencyKey: 'job' });
  let fails = false;
  const watched = new FaultInjectingFileIO(io, {
    rules: [{ fault: 'fail-before', operations: ['write'], when: () => fails }],
  });
  const again = await Table.load(made.location, { io: watched, runtime: waitless(runtime) });
  expect(await again.append([{ id: 1n }], { idempotencyKey: 'job' })).toMatchObject({ changed: false });
  const hint = watched.calls.filter(({ operation }) => operation === 'write').map(({ location }) => location);
  expect(hint).toContain(`${made.location}/metadata/version-hint.text`);
  fails = true;
  await expectError(again.append([{ id: 1n }], { idempotencyKey: 'job' }), 'COMMIT_STATE_UNKNOWN');
  expect(await again.scan().count()).toBe(1);
});

function waitless(runtime: SeededRuntime): Runtime {
  return {
    concurrency: 4,
    now: () => runtime.now(),
    randomBytes: (length) => runtime.randomBytes(length),
    sleep: () => Promise.resolve(),
  };
}
