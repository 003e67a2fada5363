import { requestsAtOnce } from '../io/requests-at-once.ts';
import { isDeletionVector } from '../manifest/content-problem.ts';
import { readManifestList } from '../manifest/read-manifest-list.ts';
import { readManifest } from '../manifest/read-manifest.ts';
import { tableDefinitions } from '../manifest/table-definitions.ts';
import { referencedFieldIds } from '../expr/referenced.ts';
import type { StatsColumns } from '../manifest/stats-columns.ts';
import { DeleteFileIndex } from '../scan/delete-file-index.ts';
import { lookAhead } from '../scan/look-ahead.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { EntryStatus, ManifestContent, ManifestEntry, ManifestFile } from '../spec/manifest.ts';
import { ancestorsOf, currentSchema, snapshotById, specById } from '../spec/metadata-accessors.ts';
import { isUnpartitioned } from '../spec/partition-spec.ts';
import { findField } from '../spec/schema-fields.ts';
import type { Schema } from '../spec/schema.ts';
import type { Operation, Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { typeToText } from '../spec/type-text.ts';
import type { CommitAttempt } from './action.ts';
import { validationConflict } from './conflict.ts';
import { scopeMatcher } from './row-scope.ts';
import type { RowScope, ScopeMatcher } from './row-scope.ts';

/**
 * What others must not have done between the base of a change and its commit; otherwise it fails with COMMIT_CONFLICT
 * and `context.conflict` 'validation'. Two things are always checked: that the files to remove are still there, and
 * that no deletion vector was added for a data file that the change adds one for.
 */
export interface ConflictChecks {
  /** The schema that filters were bound to: if one of their columns has changed meanwhile, that is a conflict as well. */
  readonly schema?: Schema;
  /** No data file with rows that may be in the scope was added; `replace` adds no rows. */
  readonly noNewData?: RowScope;
  /** No data file of another spec than this was added: whether it holds rows of a partition, its tuple doesn't say. */
  readonly noNewDataOfOtherSpecs?: number;
  /** No delete file that may be about rows of the scope was added; `replace` deletes no rows. */
  readonly noNewDeletes?: RowScope;
  /** No data file with rows that may be in the scope was removed. */
  readonly noRemovedData?: RowScope;
  /**
   * No delete was added that applies to these data files: they are rewritten or removed. With a `dataSequenceNumber`
   * equality deletes may come: they apply to the rewritten rows, too.
   */
  readonly noNewDeletesFor?: readonly DataFile[];
  /**
   * With a `dataSequenceNumber`: data files whose rows get another spec, as they are and as they will be. No equality
   * delete was added that is about the partition of one: it would delete other rows than before (spec: "Scan Planning").
   */
  readonly movedData?: readonly DataFile[];
  /** Data files that new position deletes or deletion vectors are about were not removed. */
  readonly dataFilesExist?: readonly string[];
  /** `dataFilesExist` doesn't mind removals by `delete`: what is to be deleted is gone already. */
  readonly dataFilesMayBeDeleted?: boolean;
}

export interface CheckedChange {
  readonly baseSnapshotId: bigint | null;
  readonly checks: ConflictChecks;
  /** The data sequence number that added data files keep, if they are older rows. */
  readonly dataSequenceNumber?: bigint;
  /** Data files that get a deletion vector. */
  readonly newVectorsFor: ReadonlySet<string>;
  /** Added data files may have older rows in them. */
  readonly rewritesRows: boolean;
}

/** Checks a change against what others have committed. What was found good is not looked at again in later attempts. */
export class ConflictChecker {
  readonly #change: CheckedChange;
  #checkedUpTo: bigint | null = null;

  constructor(change: CheckedChange) {
    this.#change = change;
  }

  /** COMMIT_CONFLICT if there is one, or if the history since the base can't be told any more. */
  async check(metadata: TableMetadata, parent: Snapshot | null, attempt: CommitAttempt): Promise<void> {
    const table = attempt.operations.name;
    if (this.#change.rewritesRows) checkRowIds(this.#change.baseSnapshotId, metadata, parent, attempt);
    const rules = historyRules(this.#change, metadata);
    if (rules.length === 0) return;
    checkSchema(this.#change.checks, currentSchema(metadata), table);
    const snapshots = this.#snapshotsSinceBase(metadata, parent, attempt);
    const lists = lookAhead(snapshots, requestsAtOnce(attempt.operations.io, attempt.runtime), async (snapshot) => {
      return [snapshot, await readManifestList(attempt.operations.io, snapshot, metadata)] as const;
    });
    for await (const [snapshot, manifests] of lists) {
      for (const rule of rules) {
        if (!rule.concerns(snapshot.operation)) continue;
        const problem = rule.problem(await changedEntries(rule, snapshot, manifests, metadata, attempt));
        if (problem === null) continue;
        throw validationConflict(table, problem.text, { snapshotId: snapshot.snapshotId }, problem.files);
      }
    }
    if (snapshots.length > 0) this.#checkedUpTo = snapshots[0]!.snapshotId;
  }

  /** Snapshots of others between the base and the parent, newest first. */
  #snapshotsSinceBase(metadata: TableMetadata, parent: Snapshot | null, attempt: CommitAttempt): readonly Snapshot[] {
    const { baseSnapshotId } = this.#change;
    const known = new Set([baseSnapshotId, this.#checkedUpTo]);
    const snapshots: Snapshot[] = [];
    // Where the walk ends: the oldest snapshot's parent, or nothing if the table is empty.
    let next = parent?.snapshotId ?? null;
    for (const snapshot of ancestorsOf(metadata, next)) {
      if (known.has(snapshot.snapshotId)) return snapshots;
      // Ours keep their ids from one attempt to the next, with others coming in below them.
      if (!attempt.ownSnapshots.has(snapshot.snapshotId)) snapshots.push(snapshot);
      next = snapshot.parentSnapshotId;
    }
    if (next === baseSnapshotId) return snapshots;
    throw validationConflict(
      attempt.operations.name,
      `snapshot ${baseSnapshotId}, which the change is based on, is not in the history of the branch any more`,
    );
  }
}

interface Problem {
  readonly text: string;
  /** Files of the change that it is about; none if it is about the whole. */
  readonly files?: readonly string[];
}

/** One thing that must not have happened, to be looked for in what each snapshot changed. */
interface HistoryRule {
  readonly content: ManifestContent;
  readonly status: Extract<EntryStatus, 'added' | 'deleted'>;
  /** The columns whose statistics `problem` looks at. */
  readonly stats: StatsColumns;
  concerns(operation: Operation | null): boolean;
  mayTouch(manifest: ManifestFile): boolean;
  /** What is wrong with the entries that a snapshot has added or deleted; null if nothing is. */
  problem(entries: readonly ManifestEntry[]): Problem | null;
}

/** What a snapshot is not made for it doesn't do; one that doesn't say what it is may do anything. */
const isNot =
  (...operations: readonly Operation[]) =>
  (operation: Operation | null): boolean =>
    operation === null || !operations.includes(operation);
const anyManifest = (): boolean => true;

function historyRules(change: CheckedChange, metadata: TableMetadata): readonly HistoryRule[] {
  const { checks, newVectorsFor } = change;
  const { noNewData, noNewDataOfOtherSpecs, noNewDeletes, noRemovedData, noNewDeletesFor, movedData, dataFilesExist } =
    checks;
  const rules: HistoryRule[] = [];
  if (noNewData) {
    const matcher = scopeMatcher(noNewData, metadata);
    rules.push(scopeRule(matcher, 'data', 'added', isNot('replace'), 'may have added rows that the change is about'));
  }
  if (noNewDataOfOtherSpecs !== undefined) rules.push(otherSpecsRule(noNewDataOfOtherSpecs));
  if (noRemovedData) {
    const matcher = scopeMatcher(noRemovedData, metadata);
    rules.push(
      scopeRule(matcher, 'data', 'deleted', isNot('append'), 'was removed and may have had rows of the change'),
    );
  }
  // Format version 1 has no deletes.
  if (metadata.formatVersion === 1) return withFilesExist(rules, dataFilesExist, checks);
  if (noNewDeletes) {
    const matcher = scopeMatcher(noNewDeletes, metadata);
    const concerns = isNot('append', 'replace');
    rules.push(scopeRule(matcher, 'deletes', 'added', concerns, 'may delete rows that the change is about'));
  }
  if (noNewDeletesFor && noNewDeletesFor.length > 0) rules.push(deletesForRule(noNewDeletesFor, change, metadata));
  if (movedData && movedData.length > 0) rules.push(movedDataRule(movedData, change, metadata));
  if (newVectorsFor.size > 0) rules.push(vectorRule(newVectorsFor));
  return withFilesExist(rules, dataFilesExist, checks);
}

function scopeRule(
  matcher: ScopeMatcher,
  content: ManifestContent,
  status: HistoryRule['status'],
  concerns: HistoryRule['concerns'],
  what: string,
): HistoryRule {
  return {
    content,
    status,
    stats: matcher.stats,
    concerns,
    mayTouch: (manifest) => matcher.mayTouch(manifest),
    problem(entries) {
      const found = entries.find(({ file }) => matcher.overlap(file) !== 'none');
      return found ? { text: `${found.file.path} ${what}` } : null;
    },
  };
}

function otherSpecsRule(specId: number): HistoryRule {
  return {
    content: 'data',
    status: 'added',
    stats: 'none',
    concerns: () => true,
    mayTouch: (manifest) => manifest.partitionSpecId !== specId,
    problem(entries) {
      const [found] = entries;
      return found
        ? { text: `${found.file.path} is of another partition spec than the partitions to be replaced` }
        : null;
    },
  };
}

/** Deletes that are newer than the base apply to files that were there by their partition and path alone. */
function deletesForRule(files: readonly DataFile[], change: CheckedChange, metadata: TableMetadata): HistoryRule {
  const keepsAge = change.dataSequenceNumber !== undefined;
  return {
    content: 'deletes',
    status: 'added',
    stats: 'all',
    // One that replaces deletes deletes no rows, but equality deletes that rewritten rows rely on may leave with it.
    concerns: keepsAge ? isNot('append') : isNot('append', 'replace'),
    mayTouch: anyManifest,
    problem(entries) {
      const relevant = ({ file }: ManifestEntry): boolean => file.content === 'position-deletes' || !keepsAge;
      return deletedFiles(files, entries.filter(relevant), change, metadata);
    },
  };
}

/** Equality deletes of specs without partitions are about rows wherever they are. */
function movedDataRule(files: readonly DataFile[], change: CheckedChange, metadata: TableMetadata): HistoryRule {
  const isGlobal = (specId: number): boolean => isUnpartitioned(specById(metadata, specId));
  return {
    content: 'deletes',
    status: 'added',
    stats: 'all',
    concerns: isNot('append'),
    mayTouch: ({ partitionSpecId }) => !isGlobal(partitionSpecId),
    problem(entries) {
      const relevant = ({ file }: ManifestEntry): boolean => file.content === 'equality-deletes';
      return deletedFiles(files, entries.filter(relevant), change, metadata);
    },
  };
}

/** Those of the change's files that some deletes apply to. */
function deletedFiles(
  files: readonly DataFile[],
  deletes: readonly ManifestEntry[],
  { baseSnapshotId }: CheckedChange,
  metadata: TableMetadata,
): Problem | null {
  if (deletes.length === 0) return null;
  const base = baseSnapshotId === null ? undefined : snapshotById(metadata, baseSnapshotId);
  const index = new DeleteFileIndex(deletes, { specs: metadata.partitionSpecs, schemas: schemasOf(metadata) });
  const found = files.flatMap((file) => {
    const [first] = index.forFile(file, base?.sequenceNumber ?? 0n);
    return first ? [{ path: file.path, by: first.file.path }] : [];
  });
  if (found.length === 0) return null;
  const [{ path, by }] = found as [{ path: string; by: string }];
  return { text: `${by} deletes rows of ${path}, which the change replaces`, files: found.map((one) => one.path) };
}

/** A data file has at most one deletion vector (spec: "Deletion Vectors"); ours doesn't have the other's positions. */
function vectorRule(newVectorsFor: ReadonlySet<string>): HistoryRule {
  return {
    content: 'deletes',
    status: 'added',
    stats: 'none',
    concerns: isNot('append'),
    mayTouch: anyManifest,
    problem(entries) {
      const found = entries.find(({ file }) => isDeletionVector(file) && newVectorsFor.has(file.referencedDataFile!));
      return found ? { text: `${found.file.referencedDataFile!} has got another deletion vector` } : null;
    },
  };
}

function withFilesExist(
  rules: readonly HistoryRule[],
  paths: readonly string[] | undefined,
  { dataFilesMayBeDeleted }: ConflictChecks,
): readonly HistoryRule[] {
  if (!paths || paths.length === 0) return rules;
  const required = new Set(paths);
  const rule: HistoryRule = {
    content: 'data',
    status: 'deleted',
    stats: 'none',
    concerns: dataFilesMayBeDeleted ? isNot('append', 'delete') : isNot('append'),
    mayTouch: anyManifest,
    problem(entries) {
      const found = entries.find(({ file }) => required.has(file.path));
      return found ? { text: `${found.file.path}, which rows are to be deleted of, was removed` } : null;
    },
  };
  return [...rules, rule];
}

/** The entries of a snapshot's own manifests that tell what it has added, or deleted. */
async function changedEntries(
  rule: HistoryRule,
  snapshot: Snapshot,
  manifests: readonly ManifestFile[],
  metadata: TableMetadata,
  attempt: CommitAttempt,
): Promise<readonly ManifestEntry[]> {
  const changed: ManifestEntry[] = [];
  for (const manifest of manifests) {
    const isOwn = manifest.addedSnapshotId === snapshot.snapshotId && manifest.content === rule.content;
    const count = rule.status === 'added' ? manifest.addedFilesCount : manifest.deletedFilesCount;
    if (!isOwn || count === 0 || !rule.mayTouch(manifest)) continue;
    const batches = readManifest(attempt.operations.io, manifest, {
      ...tableDefinitions(metadata),
      columns: { stats: rule.stats },
      ...(attempt.signal && { signal: attempt.signal }),
    });
    for await (const batch of batches) {
      for (const entry of batch) {
        if (entry.status === rule.status && entry.snapshotId === snapshot.snapshotId) changed.push(entry);
      }
    }
  }
  return changed;
}

function schemasOf(metadata: TableMetadata): readonly Schema[] {
  return [currentSchema(metadata), ...metadata.schemas];
}

/** After an upgrade to v3 the first commit gives all rows their ids: rows that were read before it would lose them. */
function checkRowIds(
  baseSnapshotId: bigint | null,
  metadata: TableMetadata,
  parent: Snapshot | null,
  { ownSnapshots, operations }: CommitAttempt,
): void {
  if (metadata.formatVersion < 3 || baseSnapshotId === null || parent === null) return;
  if (snapshotById(metadata, baseSnapshotId)?.firstRowId !== null) return;
  for (const { snapshotId, firstRowId } of ancestorsOf(metadata, parent.snapshotId)) {
    if (ownSnapshots.has(snapshotId)) continue;
    if (firstRowId === null) return;
    throw validationConflict(operations.name, 'rows that the change writes anew have got row ids', { snapshotId });
  }
}

/** A filter means another thing when one of its columns was dropped or has another type. */
function checkSchema(checks: ConflictChecks, now: Schema, table: string): void {
  const { schema, noNewData, noNewDeletes, noRemovedData } = checks;
  if (!schema || schema.schemaId === now.schemaId) return;
  for (const scope of [noNewData, noNewDeletes, noRemovedData]) {
    if (!scope || !('filter' in scope)) continue;
    for (const id of referencedFieldIds(scope.filter)) {
      const [before, after] = [findField(schema, id), findField(now, id)];
      if (before && after && typeToText(before.type) === typeToText(after.type)) continue;
      throw validationConflict(table, `column '${before?.name ?? id}' is another one now`);
    }
  }
}
