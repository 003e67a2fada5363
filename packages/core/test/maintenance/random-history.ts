import { isLakehouseError } from '../../src/errors.ts';
import { ancestorsOf } from '../../src/spec/metadata-accessors.ts';
import { OF_ROWS, RandomTable } from '../changes/random-table.ts';
import type { ChangeKind, RandomTableOptions } from '../changes/random-table.ts';

const HOUR_MS = 60 * 60 * 1000;

/** Files that are gone can't come back. */
const LASTING: readonly ChangeKind[] = [...OF_ROWS, 'addColumn', 'changeColumns', 'changeSpec', 'upgrade'].filter(
  (kind): kind is ChangeKind => kind !== 'restoreFile',
);

/** A table with branches, tags, staged writes and rollbacks, over some days. */
export async function randomHistory(options: RandomTableOptions, steps: number): Promise<RandomTable> {
  const random = await RandomTable.create(options);
  await random.table.setProperties({ 'write.wap.enabled': 'true', 'write.metadata.previous-versions-max': '1' });
  await moreHistory(random, steps, [...LASTING, 'restoreFile']);
  return random;
}

export async function moreHistory(random: RandomTable, steps: number, kinds = LASTING): Promise<void> {
  for (let i = 0; i < steps; i++) {
    random.runtime.advance(random.runtime.randomInteger(10) * HOUR_MS);
    await random.table.refresh();
    const step = random.pick(STEPS);
    try {
      await step(random, kinds);
    } catch (error) {
      if (!isLakehouseError(error) || !['INVALID_ARGUMENT', 'ALREADY_EXISTS', 'COMMIT_CONFLICT'].includes(error.code))
        throw error;
    }
  }
  await random.table.refresh();
}

type Step = (random: RandomTable, kinds: readonly ChangeKind[]) => Promise<unknown>;

const change: Step = (random, kinds) => random.change(undefined, kinds);

const STEPS: readonly Step[] = [
  change,
  change,
  change,
  change,
  (random, kinds) => {
    const branches = Object.entries(random.table.refs()).filter(([, { type }]) => type === 'branch');
    return random.change(random.pick(branches)[0], kinds);
  },
  (random) => random.table.createBranch(random.newColumn(), { ...someSnapshot(random), ...someLimits(random) }),
  (random) => {
    const { maxRefAgeMs } = someLimits(random);
    return random.table.createTag(random.newColumn(), { ...someSnapshot(random), maxRefAgeMs });
  },
  (random) => random.table.append(random.rows(3), { wapId: random.newColumn() }),
  async (random) => {
    const staged = random.table.snapshots().flatMap(({ summary }) => summary['wap.id'] ?? []);
    if (staged.length > 0) await random.table.publishChanges(random.pick(staged));
  },
  async (random) => {
    const { metadata } = random.table;
    await random.table.rollbackTo(
      random.pick([...ancestorsOf(metadata, metadata.currentSnapshotId)].slice(0, 3)).snapshotId,
    );
  },
  (random) => random.table.setCurrentSnapshot(someSnapshot(random).snapshotId),
  async (random) => {
    const names = Object.keys(random.table.refs()).filter((name) => name !== 'main');
    if (names.length > 0) await random.table.removeRef(random.pick(names));
  },
];

function someSnapshot(random: RandomTable): { readonly snapshotId: bigint } {
  return { snapshotId: random.pick(random.table.snapshots()).snapshotId };
}

function someLimits(random: RandomTable): {
  readonly minSnapshotsToKeep?: number;
  readonly maxSnapshotAgeMs?: number;
  readonly maxRefAgeMs?: number;
} {
  const some = <T>(value: T): T | undefined => (random.runtime.random() < 0.4 ? value : undefined);
  return Object.fromEntries(
    Object.entries({
      minSnapshotsToKeep: some(1 + random.runtime.randomInteger(4)),
      maxSnapshotAgeMs: some((1 + random.runtime.randomInteger(40)) * HOUR_MS),
      maxRefAgeMs: some((1 + random.runtime.randomInteger(80)) * HOUR_MS),
    }).filter(([, value]) => value !== undefined),
  );
}
