import { isLakehouseError } from '../../src/errors.ts';
import type { LoadedMetadata } from '../../src/catalog/catalog.ts';
import { FileSystemTableOperations } from '../../src/catalog/file-system/table-operations.ts';
import { versionOf } from '../../src/catalog/file-system/version-files.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { randomSnapshotId, randomUuid } from '../../src/runtime.ts';
import { newTableMetadata } from '../../src/spec/new-table-metadata.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';
import type { TableRequirement, TableUpdate } from '../../src/spec/updates.ts';
import { FaultInjectingFileIO, SeededRuntime, type FaultRule } from '../../src/testing/index.ts';

export const ROOT = 'mem://wh/web/events';

const HOUR_MS = 3_600_000;

/** Faults at rates that hit every commit of some simulations and none of others. */
export function randomFaults(runtime: SeededRuntime): FaultRule[] {
  const rate = (): number => runtime.random() ** 3;
  const outage = runtime.now() + runtime.random() * 2000;
  const isOut = (): boolean => runtime.now() >= outage && runtime.now() < outage + 3000;
  return [
    // An outage is longer than anyone's patience; it begins with a lost answer.
    { fault: 'fail-after', when: isOut, probability: runtime.random() < 0.3 ? 0.5 : 0, times: 1 },
    { fault: 'fail-before', when: isOut, probability: runtime.random() < 0.3 ? 1 : 0 },
    { fault: 'fail-before', probability: rate() * 0.3 },
    { fault: 'fail-after', probability: rate() * 0.3 },
    { fault: 'fail-late', operations: ['write'], probability: rate(), delayMs: 2000 },
    { fault: 'delay', probability: rate() * 0.2, delayMs: 1000 },
    // Long enough to find the world changed: versions trimmed, tables dropped.
    { fault: 'delay', operations: ['write'], probability: rate() * 0.2, delayMs: 5 * HOUR_MS },
  ];
}

export interface Simulation {
  readonly runtime: SeededRuntime;
  readonly store: MemoryFileIO;
}

export function simulation(seed: number): Simulation {
  const runtime = new SeededRuntime(seed);
  return { runtime, store: new MemoryFileIO({ runtime }) };
}

/** A table as one process sees it, through a connection of its own that fails in its own way. */
export function connect({ runtime, store }: Simulation, rules: readonly FaultRule[]): FileSystemTableOperations {
  const io = new FaultInjectingFileIO(store, { runtime, rules, latencyMs: 20 });
  return new FileSystemTableOperations(ROOT, io, { runtime });
}

export function newTable(runtime: SeededRuntime, properties: Record<string, string> = {}): TableMetadata {
  return newTableMetadata({
    schema: schema({ id: t.long() }),
    location: ROOT,
    properties,
    formatVersion: 2,
    uuid: randomUuid(runtime),
    nowMs: runtime.now(),
  });
}

/** What a commit leaves in the table that nobody else's does. */
export type Mark =
  | { readonly kind: 'property'; readonly key: string }
  | { readonly kind: 'snapshot'; readonly id: bigint };

export function isIn(metadata: TableMetadata, mark: Mark): boolean {
  return mark.kind === 'property'
    ? mark.key in metadata.properties
    : metadata.snapshots.some((snapshot) => snapshot.snapshotId === mark.id);
}

export interface Attempt {
  readonly mark: Mark;
  readonly tableUuid: string;
  readonly outcome: 'acknowledged' | 'refused' | 'unknown';
  /** The version that an acknowledged commit made. */
  readonly version: number | null;
}

/** One commit, with a mark that no other attempt has. */
export async function attempt(
  { runtime }: Simulation,
  operations: FileSystemTableOperations,
  base: LoadedMetadata,
): Promise<Attempt> {
  const { metadata } = base;
  const { mark, updates } = runtime.random() < 0.5 ? setProperty(runtime) : addSnapshot(runtime, metadata);
  const requirements: TableRequirement[] = [{ type: 'assert-table-uuid', uuid: metadata.tableUuid }];
  if (mark.kind === 'snapshot') {
    requirements.push({ type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: metadata.currentSnapshotId });
  }
  const { tableUuid } = metadata;
  try {
    const { metadataLocation } = await operations.commit(base, requirements, updates);
    const version = versionOf(metadataLocation.slice(metadataLocation.lastIndexOf('/') + 1));
    return { mark, tableUuid, outcome: 'acknowledged', version };
  } catch (error) {
    if (isLakehouseError(error, 'COMMIT_STATE_UNKNOWN')) return { mark, tableUuid, outcome: 'unknown', version: null };
    const expected = ['COMMIT_CONFLICT', 'UNAVAILABLE', 'NOT_FOUND'];
    if (!isLakehouseError(error) || !expected.includes(error.code)) throw error;
    return { mark, tableUuid, outcome: 'refused', version: null };
  }
}

function setProperty(runtime: SeededRuntime): { mark: Mark; updates: TableUpdate[] } {
  const key = `p-${randomUuid(runtime)}`;
  return { mark: { kind: 'property', key }, updates: [{ action: 'set-properties', updates: { [key]: 'x' } }] };
}

function addSnapshot(runtime: SeededRuntime, metadata: TableMetadata): { mark: Mark; updates: TableUpdate[] } {
  const id = randomSnapshotId(runtime);
  const snapshot = {
    snapshotId: id,
    parentSnapshotId: metadata.currentSnapshotId,
    sequenceNumber: metadata.lastSequenceNumber + 1n,
    timestampMs: Math.max(runtime.now(), metadata.lastUpdatedMs),
    manifestList: `${ROOT}/metadata/snap-${id}.avro`,
    manifests: null,
    operation: 'append',
    summary: {},
    schemaId: 0,
    firstRowId: null,
    addedRows: null,
    keyId: null,
    unknownFields: {},
  } as const;
  const ref = {
    snapshotId: id,
    type: 'branch',
    minSnapshotsToKeep: null,
    maxSnapshotAgeMs: null,
    maxRefAgeMs: null,
  } as const;
  const updates: TableUpdate[] = [
    { action: 'add-snapshot', snapshot },
    { action: 'set-snapshot-ref', refName: 'main', ref },
  ];
  return { mark: { kind: 'snapshot', id }, updates };
}

/** Null while the connection fails, or when there is no table. */
export async function tryLoad(operations: FileSystemTableOperations): Promise<LoadedMetadata | null> {
  try {
    return await operations.load();
  } catch (error) {
    if (isLakehouseError(error, 'UNAVAILABLE') || isLakehouseError(error, 'NOT_FOUND')) return null;
    throw error;
  }
}
