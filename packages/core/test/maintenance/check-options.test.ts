import { beforeAll, describe, expect, test } from 'vitest';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { Table } from '../../src/table.ts';
import { expectError, newTable } from '../table/support.ts';

// What is misspelt or makes no sense is said, and nothing happens: calls of JavaScript are not checked by a compiler.

let table: Table;

beforeAll(async () => {
  table = await newTable({ schema: schema({ id: t.long().required() }) });
  for (let id = 0n; id < 6n; id++) await table.append([{ id }]);
});

type Call = (options: never) => Promise<unknown>;

const CALLS: Readonly<Record<string, Call>> = {
  rewriteDataFiles: (options) => table.rewriteDataFiles(options),
  rewriteManifests: (options) => table.rewriteManifests(options),
  rewritePositionDeletes: (options) => table.rewritePositionDeletes(options),
  convertEqualityDeletes: (options) => table.convertEqualityDeletes(options),
  removeDanglingDeletes: (options) => table.removeDanglingDeletes(options),
  expireSnapshots: (options) => table.expireSnapshots(options),
  removeOrphanFiles: (options) => table.removeOrphanFiles(options),
  computeStats: (options) => table.computeStats(options),
  rewriteTablePath: (options) => table.rewriteTablePath(options),
  maintain: (options) => table.maintain(options),
};

async function expectRefusal(call: string, options: unknown, message: RegExp): Promise<void> {
  const before = table.metadataLocation;
  await expectError(CALLS[call]!(options as never), 'INVALID_ARGUMENT', message);
  await table.refresh();
  expect(table.metadataLocation).toBe(before);
}

describe.each(Object.keys(CALLS))('%s', (call) => {
  test('has no options but its own', async () => {
    await expectRefusal(call, { dryrun: true }, new RegExp(`^${call} has no option 'dryrun'; it has .*dryRun`));
  });

  test('takes an object, and true and false for what is one of them', async () => {
    await expectRefusal(call, 5, /takes an object of options, not 5/);
    const prefixes = call === 'rewriteTablePath' ? { sourcePrefix: 'a', targetPrefix: 'b' } : {};
    await expectRefusal(call, { ...prefixes, dryRun: 'no' }, /dryRun must be true or false, not no/);
  });
});

test.each([
  ['rewriteDataFiles', { strategy: 'sort', sortBy: 'id' }, /sortBy must be a list/],
  ['rewriteDataFiles', { strategy: 'zorder', zOrderBy: 'id' }, /zOrderBy must be a list/],
  ['rewriteDataFiles', { partialProgress: true }, /partialProgress must be an object/],
  ['rewriteDataFiles', { partialProgress: { maxcommits: 5 } }, /no option 'partialProgress.maxcommits'/],
  ['rewriteDataFiles', { rewriteAll: 'false' }, /rewriteAll must be true or false/],
  ['rewriteManifests', { where: 'id = 1' }, /where must be a function/],
  ['expireSnapshots', { snapshotIds: 5n }, /snapshotIds must be a list/],
  ['expireSnapshots', { snapshotIds: [5] }, /snapshotIds must be bigints, not 5/],
  ['computeStats', { columns: 'id' }, /columns must be a list/],
  ['rewriteTablePath', { targetPrefix: 's3://b' }, /sourcePrefix must be a text, not undefined/],
])('%s %o', expectRefusal);

test.each<[unknown, RegExp]>([
  [{ snapshots: { retainlast: 100 } }, /no option 'snapshots.retainlast'; it has snapshots.olderThan/],
  [{ orphanFiles: { older: 0 } }, /no option 'orphanFiles.older'/],
  [{ dataFiles: { target: 1 } }, /no option 'dataFiles.target'/],
  [{ dataFiles: 'yes' }, /takes an object of options, not yes/],
  [{ dataFiles: null }, /takes an object of options, not null/],
  [{ orphanFiles: { everyMs: 'day' } }, /orphanFiles.everyMs must be a number of 0 or more, not day/],
  [{ budget: { bytes: 0.5 } }, /budget.bytes must be a number of 1 or more/],
  [{ budget: { timeMs: Number.NaN } }, /budget.timeMs must be a number/],
])('maintain %o', (policy, message) => expectRefusal('maintain', policy, message));
