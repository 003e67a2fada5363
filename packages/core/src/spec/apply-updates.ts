import { invalidArgument } from '../errors.ts';
import { checkTableMetadata } from './check-metadata.ts';
import {
  addSchema,
  addSortOrder,
  addSpec,
  checkDefinitions,
  removeSchemas,
  removeSpecs,
  setCurrentSchema,
  setDefaultSortOrder,
  setDefaultSpec,
} from './definition-updates.ts';
import { snapshotById } from './metadata-accessors.ts';
import { change } from './metadata-draft.ts';
import type { MetadataDraft } from './metadata-draft.ts';
import {
  addSnapshot,
  removeSnapshotRef,
  removeSnapshots,
  setSnapshotRef,
  snapshotLogAfter,
} from './snapshot-updates.ts';
import type { FormatVersion, MetadataLogEntry, TableMetadata } from './table-metadata.ts';
import { tableProperty } from './table-properties.ts';
import type { TableUpdate } from './updates.ts';

export interface UpdateContext {
  /** The clock, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** Where the base was read from, for the metadata log; null if it never was a file. */
  readonly baseMetadataLocation: string | null;
}

/**
 * Makes the next version of a table's metadata. The base itself comes back if the updates change nothing.
 *
 * `last-updated-ms` never goes back, the logs grow as the spec has it, and the result is checked before it is given.
 * INVALID_ARGUMENT for an update that the table can't take; COMMIT_CONFLICT for a snapshot made for an older version.
 */
export function applyUpdates(
  base: TableMetadata,
  updates: readonly TableUpdate[],
  context: UpdateContext,
): TableMetadata {
  const draft: MetadataDraft = {
    base,
    metadata: base,
    nowMs: Math.max(context.nowMs, base.lastUpdatedMs),
    lastAddedSchemaId: null,
    lastAddedSpecId: null,
    lastAddedSortOrderId: null,
    addedSnapshotIds: new Set(),
    removedSnapshots: false,
  };
  for (const update of updates) {
    const apply = APPLY[update.action] as (draft: MetadataDraft, update: TableUpdate) => void;
    apply(draft, update);
  }
  if (!hasChanged(base, draft.metadata)) return base;

  const snapshotLog = snapshotLogAfter(draft);
  change(draft, {
    snapshotLog,
    metadataLog: metadataLogAfter(draft, context.baseMetadataLocation),
    lastUpdatedMs: latestTime(draft, snapshotLog.at(-1)?.timestampMs ?? draft.nowMs),
  });
  if (DEFINITIONS.some((key) => draft.metadata[key] !== base[key])) checkDefinitions(draft.metadata);
  checkTableMetadata(draft.metadata);
  return draft.metadata;
}

/** What must fit together; checked when one of them changed, so that a table that has a flaw can still be tended. */
const DEFINITIONS = ['currentSchemaId', 'defaultSpecId', 'defaultSortOrderId'] as const;

type Apply = {
  readonly [A in TableUpdate['action']]: (draft: MetadataDraft, update: Extract<TableUpdate, { action: A }>) => void;
};

const APPLY: Apply = {
  'assign-uuid': (draft, { uuid }) => change(draft, { tableUuid: uuid }),
  'upgrade-format-version': (draft, { formatVersion }) => upgradeFormatVersion(draft, formatVersion),
  'add-schema': (draft, { schema }) => addSchema(draft, schema),
  'set-current-schema': (draft, { schemaId }) => setCurrentSchema(draft, schemaId),
  'remove-schemas': (draft, { schemaIds }) => removeSchemas(draft, schemaIds),
  'add-spec': (draft, { spec }) => addSpec(draft, spec),
  'set-default-spec': (draft, { specId }) => setDefaultSpec(draft, specId),
  'remove-partition-specs': (draft, { specIds }) => removeSpecs(draft, specIds),
  'add-sort-order': (draft, { fields }) => addSortOrder(draft, fields),
  'set-default-sort-order': (draft, { sortOrderId }) => setDefaultSortOrder(draft, sortOrderId),
  'add-snapshot': (draft, { snapshot }) => addSnapshot(draft, snapshot),
  'set-snapshot-ref': (draft, { refName, ref }) => setSnapshotRef(draft, refName, ref),
  'remove-snapshots': (draft, { snapshotIds }) => removeSnapshots(draft, snapshotIds),
  'remove-snapshot-ref': (draft, { refName }) => removeSnapshotRef(draft, refName),
  'set-location': (draft, { location }) => change(draft, { location }),
  'set-properties': (draft, { updates }) =>
    change(draft, {
      properties: fromEntries([...Object.entries(draft.metadata.properties), ...Object.entries(updates)]),
    }),
  'remove-properties': (draft, { removals }) =>
    change(draft, {
      properties: fromEntries(Object.entries(draft.metadata.properties).filter(([key]) => !removals.includes(key))),
    }),
  'set-statistics': (draft, { statistics }) =>
    change(draft, { statistics: [...withoutSnapshot(draft.metadata.statistics, statistics.snapshotId), statistics] }),
  'remove-statistics': (draft, { snapshotId }) =>
    change(draft, { statistics: withoutSnapshot(draft.metadata.statistics, snapshotId) }),
  'set-partition-statistics': (draft, { statistics }) =>
    change(draft, {
      partitionStatistics: [...withoutSnapshot(draft.metadata.partitionStatistics, statistics.snapshotId), statistics],
    }),
  'remove-partition-statistics': (draft, { snapshotId }) =>
    change(draft, { partitionStatistics: withoutSnapshot(draft.metadata.partitionStatistics, snapshotId) }),
  'add-encryption-key': (draft, { key }) => {
    const { encryptionKeys } = draft.metadata;
    if (!encryptionKeys.some(({ keyId }) => keyId === key.keyId))
      change(draft, { encryptionKeys: [...encryptionKeys, key] });
  },
  'remove-encryption-key': (draft, { keyId }) =>
    change(draft, { encryptionKeys: draft.metadata.encryptionKeys.filter((key) => key.keyId !== keyId) }),
};

function upgradeFormatVersion(draft: MetadataDraft, formatVersion: FormatVersion): void {
  const current = draft.metadata.formatVersion;
  if (formatVersion < current) {
    throw invalidArgument(`A table can't go back from format version ${current} to ${formatVersion}.`);
  }
  if (![1, 2, 3].includes(formatVersion))
    throw invalidArgument(`There is no format version ${formatVersion} to upgrade to.`);
  change(draft, { formatVersion });
}

/** Lists that were rebuilt with the same items, and properties set to what they were, are no change. */
function hasChanged(base: TableMetadata, metadata: TableMetadata): boolean {
  const keys = Object.keys(metadata) as (keyof TableMetadata)[];
  return keys.some((key) => !shallowEqual(base[key], metadata[key]));
}

function shallowEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => item === b[i]);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return (
    left.length === right.length && left.every(([key, value], i) => right[i]![0] === key && right[i]![1] === value)
  );
}

/** The base's file is a previous one from now on; the oldest give way to keep the log at its set size. */
function metadataLogAfter(draft: MetadataDraft, baseLocation: string | null): readonly MetadataLogEntry[] {
  const { base, metadata } = draft;
  if (baseLocation === null) return metadata.metadataLog;
  const size = Math.max(1, tableProperty(metadata.properties, 'write.metadata.previous-versions-max'));
  return [...metadata.metadataLog, { timestampMs: base.lastUpdatedMs, metadataFile: baseLocation }].slice(-size);
}

/** Snapshots of other machines may be ahead of this clock; the table is never older than what is in it. */
function latestTime(draft: MetadataDraft, lastLoggedMs: number): number {
  let latest = Math.max(draft.nowMs, lastLoggedMs);
  for (const id of draft.addedSnapshotIds) {
    latest = Math.max(latest, snapshotById(draft.metadata, id)?.timestampMs ?? latest);
  }
  return latest;
}

function withoutSnapshot<T extends { readonly snapshotId: bigint }>(
  list: readonly T[],
  snapshotId: bigint,
): readonly T[] {
  return list.filter((item) => item.snapshotId !== snapshotId);
}

/** Of equal keys the last counts, in the first one's place. */
function fromEntries(entries: readonly (readonly [string, string])[]): Readonly<Record<string, string>> {
  return Object.fromEntries(entries);
}
