import type { FileIO } from '@lh/core';
import { afterEach, describe, expect, test, vi } from 'vitest';

import { FileSystemTableOperations } from '../../packages/core/src/catalog/file-system/table-operations.ts';
import { DeleteLoader } from '../../packages/core/src/deletes/row-deletes.ts';
import { LakehouseError, isLakehouseError } from '../../packages/core/src/errors.ts';
import { LocationSet } from '../../packages/core/src/maintenance/location-set.ts';
import type * as Requirements from '../../packages/core/src/spec/requirements.ts';
import { ConflictChecker } from '../../packages/core/src/transaction/conflict-checks.ts';
import type * as RowLineage from '../../packages/core/src/transaction/operations/row-lineage.ts';
import type * as StageDeletes from '../../packages/core/src/transaction/operations/stage-deletes.ts';
import type * as SnapshotChangeAction from '../../packages/core/src/transaction/snapshot-change-action.ts';
import type * as StageManifests from '../../packages/core/src/transaction/stage-manifests.ts';
import { StagedFiles } from '../../packages/core/src/transaction/staged-files.ts';
import { simulate } from './simulate.ts';
import type { SimulateOptions } from './simulate.ts';

type Planted = 'requirements unchecked' | 'deletes overlooked' | 'files too young' | 'lineage dropped' | 'deletes lost';

const planted = vi.hoisted(() => ({ bug: null as Planted | null }));

vi.mock('node:fs/promises', async () => (await import('./mounted-disk.ts')).simulatedFileSystem);
vi.mock('node:fs', async () => (await import('./mounted-disk.ts')).simulatedDescriptors);

vi.mock('../../packages/core/src/spec/requirements.ts', async (original) => {
  const real = await original<typeof Requirements>();
  const checkRequirements: typeof real.checkRequirements = (...parameters) => {
    if (planted.bug !== 'requirements unchecked') real.checkRequirements(...parameters);
  };
  return { ...real, checkRequirements };
});

vi.mock('../../packages/core/src/transaction/snapshot-change-action.ts', async (original) => {
  const real = await original<typeof SnapshotChangeAction>();
  const snapshotChangeAction: typeof real.snapshotChangeAction = (change) => {
    const overlooks = planted.bug === 'deletes overlooked' && change.operation === 'replace';
    return real.snapshotChangeAction(overlooks ? { ...change, checks: {} } : change);
  };
  return { ...real, snapshotChangeAction };
});

vi.mock('../../packages/core/src/transaction/stage-manifests.ts', async (original) => {
  const real = await original<typeof StageManifests>();
  const young = (settings: StageManifests.ManifestSettings): StageManifests.ManifestSettings =>
    planted.bug === 'files too young' ? { ...settings, sequenceNumber: undefined } : settings;
  const writeAddedManifests: typeof real.writeAddedManifests = (files, settings, ...rest) =>
    real.writeAddedManifests(files, young(settings), ...rest);
  const writeMergedManifest: typeof real.writeMergedManifest = (files, inputs, settings, ...rest) =>
    real.writeMergedManifest(files, inputs, young(settings), ...rest);
  return { ...real, writeAddedManifests, writeMergedManifest };
});

vi.mock('../../packages/core/src/transaction/operations/row-lineage.ts', async (original) => {
  const real = await original<typeof RowLineage>();
  const lineageColumns: typeof real.lineageColumns = (metadata) =>
    planted.bug === 'lineage dropped' ? [] : real.lineageColumns(metadata);
  return { ...real, lineageColumns };
});

vi.mock('../../packages/core/src/transaction/operations/stage-deletes.ts', async (original) => {
  const real = await original<typeof StageDeletes>();
  const stageRowDeletes: typeof real.stageRowDeletes = (matches, ...rest) =>
    real.stageRowDeletes(planted.bug === 'deletes lost' ? matches.slice(1) : matches, ...rest);
  return { ...real, stageRowDeletes };
});

/** Each of these has been a bug of some lakehouse library, or would be a likely one of this. */
const BUGS: Readonly<Record<string, () => SimulateOptions>> = {
  'what others did since is not validated'() {
    vi.spyOn(ConflictChecker.prototype, 'check').mockResolvedValue();
    return {};
  },
  'the requirements of a commit are not checked'() {
    planted.bug = 'requirements unchecked';
    return {};
  },
  'compaction overlooks the deletes that came meanwhile'() {
    planted.bug = 'deletes overlooked';
    return { kinds: ['append', 'update', 'delete', 'rowDelta'], upkeepKinds: ['compact', 'compact in parts'] };
  },
  'compacted files are younger than equality deletes that came meanwhile'() {
    planted.bug = 'files too young';
    return { formatVersion: 2, kinds: ['rowDelta'], upkeepKinds: ['compact'], upkeepRates: { slow: 0.2 } };
  },
  'rows lose their lineage when they are compacted'() {
    planted.bug = 'lineage dropped';
    return { formatVersion: 3, kinds: ['append'], upkeepKinds: ['compact'] };
  },
  'equality deletes are converted but for those of one data file'() {
    planted.bug = 'deletes lost';
    return { formatVersion: 2, kinds: ['rowDelta'], upkeepKinds: ['convert equality deletes'] };
  },
  'files are cleaned up after an unknown outcome'() {
    vi.spyOn(StagedFiles.prototype, 'keepAll').mockReturnValue();
    return {};
  },
  'an unknown outcome is reported as a failure'() {
    const { commit } = FileSystemTableOperations.prototype;
    vi.spyOn(FileSystemTableOperations.prototype, 'commit').mockImplementation(async function (
      this: FileSystemTableOperations,
      ...parameters
    ) {
      return commit.apply(this, parameters).catch((error: unknown) => {
        throw isLakehouseError(error, 'COMMIT_STATE_UNKNOWN') ? new LakehouseError('UNAVAILABLE', 'Failed.') : error;
      });
    });
    return {};
  },
  'files of the commit are taken for unused ones'() {
    vi.spyOn(StagedFiles.prototype, 'use').mockReturnValue();
    return {};
  },
  'a deletion vector forgets the one that it replaces'() {
    vi.spyOn(DeleteLoader.prototype, 'positions').mockResolvedValue(null);
    return { formatVersion: 3, kinds: ['append', 'update', 'delete'] };
  },
  'files of snapshots that stay are deleted with those that expire'() {
    vi.spyOn(LocationSet.prototype, 'delete').mockReturnValue(true);
    return {};
  },
  'a job is made again without an idempotency key': () => ({ withoutKeys: true }),
  'a stale version hint is trusted': () => ({ wrap: trustingHints }),
  'the next version is created whether it is there or not': () => ({ wrap: withoutConditions }),
  'files are not synced': () => ({ ignoresSyncOf: 'files' }),
  'directories are not synced': () => ({ ignoresSyncOf: 'directories' }),
  'orphans may be as young as files that are just being written': () => ({ orphanAgeMs: 0 }),
};

/** Versions after the one that the hint names are not looked for. */
function trustingHints(io: FileIO): FileIO {
  let hinted = '';
  return proxy(io, {
    async read(location, options) {
      const bytes = await io.read(location, options);
      if (location.endsWith('/version-hint.text')) hinted = `/v${Number(new TextDecoder().decode(bytes)) + 1}.`;
      return bytes;
    },
    stat: async (location, options) => (hinted !== '' && location.includes(hinted) ? null : io.stat(location, options)),
  });
}

function withoutConditions(io: FileIO): FileIO {
  return proxy(io, {
    write(location, data, options = {}) {
      // The probe would find out otherwise.
      const ifNoneMatch = options.ifNoneMatch === true && !/\/v\d+\.metadata\.json$/.test(location);
      return io.write(location, data, { ...options, ifNoneMatch });
    },
  });
}

function proxy(io: FileIO, changed: Partial<FileIO>): FileIO {
  return new Proxy(io, {
    get(target, name) {
      const own = (changed as Record<PropertyKey, unknown>)[name] ?? (target as never)[name];
      return typeof own === 'function' ? (own as () => unknown).bind(target) : own;
    },
  });
}

const MOST_SEEDS = 1000;

describe('a bug that is planted is found', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    planted.bug = null;
  });

  test.each(Object.entries(BUGS))(
    '%s',
    async (_name, plant) => {
      const options = plant();
      let found: unknown = null;
      let seed = 0;
      for (; seed < MOST_SEEDS && found === null; seed++) {
        found = await simulate(seed, options).then(
          () => null,
          (error: unknown) => error,
        );
      }
      console.info(`Found by simulation ${seed - 1}: ${String(found)}`);
      expect(found).not.toBeNull();
    },
    600_000,
  );
});
