import { LakehouseError, invalidArgument } from '../errors.ts';
import { isAncestorOf } from '../spec/metadata-accessors.ts';
import { MAIN_BRANCH } from '../spec/snapshot.ts';
import type { SnapshotRef } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { MetadataAction } from './action.ts';
import { findRef, movedBranch, requireSnapshot } from './refs.ts';

export interface TagOptions {
  /** Left out: main's current snapshot. */
  readonly snapshotId?: bigint | undefined;
  /** How long the tag itself is kept, in milliseconds; left out: as the table's properties have it. */
  readonly maxRefAgeMs?: number | undefined;
}

export interface BranchOptions extends TagOptions {
  /** What of the branch's snapshots is kept when snapshots are expired. */
  readonly minSnapshotsToKeep?: number | undefined;
  readonly maxSnapshotAgeMs?: number | undefined;
}

export function createBranchAction(name: string, options: BranchOptions): MetadataAction {
  return createRef(name, 'branch', options);
}

export function createTagAction(name: string, options: TagOptions): MetadataAction {
  return createRef(name, 'tag', { snapshotId: options.snapshotId, maxRefAgeMs: options.maxRefAgeMs });
}

/** Moves a branch to any snapshot; of its retention what isn't given stays. */
export function replaceBranchAction(name: string, options: BranchOptions): MetadataAction {
  return replaceRef(name, 'branch', options);
}

export function replaceTagAction(name: string, options: TagOptions): MetadataAction {
  return replaceRef(name, 'tag', { snapshotId: options.snapshotId, maxRefAgeMs: options.maxRefAgeMs });
}

function replaceRef(name: string, type: SnapshotRef['type'], options: BranchOptions): MetadataAction {
  const retention = Object.entries(retentionOf(options)).filter(([, limit]) => limit !== null);
  return {
    build(metadata) {
      const existing = requireRef(metadata, name, type);
      if (existing.type !== type) throw invalidArgument(`'${name}' is a ${existing.type}, not a ${type}.`);
      const snapshotId = options.snapshotId ?? metadata.currentSnapshotId ?? existing.snapshotId;
      requireSnapshot(metadata, snapshotId);
      const ref: SnapshotRef = { ...existing, ...Object.fromEntries(retention), snapshotId };
      return [{ action: 'set-snapshot-ref', refName: name, ref }];
    },
  };
}

function retentionOf(
  options: BranchOptions,
): Pick<SnapshotRef, 'minSnapshotsToKeep' | 'maxSnapshotAgeMs' | 'maxRefAgeMs'> {
  return {
    minSnapshotsToKeep: positive(options.minSnapshotsToKeep, 'minSnapshotsToKeep'),
    maxSnapshotAgeMs: positive(options.maxSnapshotAgeMs, 'maxSnapshotAgeMs'),
    maxRefAgeMs: positive(options.maxRefAgeMs, 'maxRefAgeMs'),
  };
}

function createRef(name: string, type: SnapshotRef['type'], options: BranchOptions): MetadataAction {
  if (typeof name !== 'string' || name === '') throw invalidArgument(`A ${type} needs a name.`);
  const retention = retentionOf(options);
  return {
    build(metadata) {
      const existing = findRef(metadata, name);
      if (existing || name === MAIN_BRANCH) {
        const message = `The table has a ${existing?.type ?? 'branch'} '${name}' already; choose another name, or drop it first.`;
        throw new LakehouseError('ALREADY_EXISTS', message, { context: { ref: name } });
      }
      const snapshotId = options.snapshotId ?? metadata.currentSnapshotId;
      if (snapshotId === null) {
        throw invalidArgument(`The table has no snapshot yet that a ${type} could point to; append something first.`);
      }
      requireSnapshot(metadata, snapshotId);
      return [{ action: 'set-snapshot-ref', refName: name, ref: { snapshotId, type, ...retention } }];
    },
  };
}

function positive(value: number | undefined, name: string): number | null {
  if (value === undefined) return null;
  if (!Number.isSafeInteger(value) || value < 1) throw invalidArgument(`${name} must be a positive whole number.`);
  return value;
}

/** Removes a branch or tag, of the given type if one is given. Its snapshots stay until they are expired. */
export function removeRefAction(name: string, type?: SnapshotRef['type']): MetadataAction {
  return {
    build(metadata) {
      if (name === MAIN_BRANCH) throw invalidArgument(`The branch 'main' can't be dropped.`);
      const ref = requireRef(metadata, name, type);
      if (type !== undefined && ref.type !== type) throw invalidArgument(`'${name}' is a ${ref.type}, not a ${type}.`);
      return [{ action: 'remove-snapshot-ref', refName: name }];
    },
  };
}

/** Moves a branch forward to where another ref is. INVALID_ARGUMENT if that is not built on the branch's snapshot. */
export function fastForwardAction(branch: string, to: string): MetadataAction {
  return {
    build(metadata) {
      const target = requireRef(metadata, to);
      const ref = findRef(metadata, branch);
      if (ref?.type === 'tag') throw invalidArgument(`'${branch}' is a tag; only branches can be moved.`);
      if (ref?.snapshotId === target.snapshotId) return [];
      if (ref && !isAncestorOf(metadata, target.snapshotId, ref.snapshotId)) {
        throw invalidArgument(
          `'${branch}' can't be fast-forwarded to '${to}': it has snapshots that '${to}' is not built on.`,
          { branch, to },
        );
      }
      return [{ action: 'set-snapshot-ref', refName: branch, ref: movedBranch(ref, target.snapshotId) }];
    },
  };
}

function requireRef(metadata: TableMetadata, name: string, type?: SnapshotRef['type']): SnapshotRef {
  const ref = findRef(metadata, name);
  if (ref) return ref;
  throw new LakehouseError('NOT_FOUND', `The table has no ${type ?? 'branch or tag'} '${name}'.`, {
    context: { ref: name },
  });
}
