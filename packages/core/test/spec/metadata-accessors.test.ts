import { describe, expect, it } from 'vitest';
import {
  ancestorsOf,
  currentSnapshot,
  isAncestorOf,
  schemaForSnapshot,
  snapshotAsOf,
  snapshotForRef,
  specById,
} from '../../src/spec/metadata-accessors.ts';
import { newTableMetadata } from '../../src/spec/new-table-metadata.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';

function snapshot(snapshotId: bigint, parentSnapshotId: bigint | null): Snapshot {
  return {
    snapshotId,
    parentSnapshotId,
    sequenceNumber: snapshotId,
    timestampMs: Number(snapshotId) * 100,
    manifestList: 'm',
    manifests: null,
    operation: 'append',
    summary: {},
    schemaId: null,
    firstRowId: null,
    addedRows: null,
    keyId: null,
    unknownFields: {},
  };
}

const none = { minSnapshotsToKeep: null, maxSnapshotAgeMs: null, maxRefAgeMs: null };
const metadata: TableMetadata = {
  ...newTableMetadata({ schema: schema({ id: t.long() }), location: 'l', uuid: 'u', nowMs: 1 }),
  snapshots: [snapshot(2n, 1n), snapshot(3n, 2n), snapshot(4n, 2n)],
  currentSnapshotId: 3n,
  refs: { main: { snapshotId: 3n, type: 'branch', ...none }, audit: { snapshotId: 4n, type: 'branch', ...none } },
  // Not sorted: machines' clocks differ.
  snapshotLog: [
    { timestampMs: 100, snapshotId: 1n },
    { timestampMs: 300, snapshotId: 3n },
    { timestampMs: 200, snapshotId: 2n },
    { timestampMs: 400, snapshotId: 3n },
  ],
};

describe('metadata accessors', () => {
  it('find the current snapshot and those of refs', () => {
    expect(currentSnapshot(metadata)?.snapshotId).toBe(3n);
    expect(snapshotForRef(metadata, 'audit')?.snapshotId).toBe(4n);
    expect(snapshotForRef({ ...metadata, refs: {}, currentSnapshotId: null }, 'main')).toBeNull();
    for (const ref of ['nope', 'constructor']) {
      expect(() => snapshotForRef(metadata, ref)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    }
  });

  it.each([
    [99, null],
    [200, 2n],
    [299, 2n],
    [300, 3n],
    [1000, 3n],
  ])('find what was current at %d', (time, snapshotId) => {
    expect(snapshotAsOf(metadata, time)?.snapshotId ?? null).toBe(snapshotId);
  });

  it('tell an expired snapshot from none', () => {
    expect(() => snapshotAsOf(metadata, 150)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  it('walk the ancestors that are known, and not in circles', () => {
    expect([...ancestorsOf(metadata, 4n)].map((one) => one.snapshotId)).toEqual([4n, 2n]);
    expect(isAncestorOf(metadata, 3n, 2n)).toBe(true);
    expect(isAncestorOf(metadata, 3n, 4n)).toBe(false);
    const circle = { ...metadata, snapshots: [snapshot(1n, 2n), snapshot(2n, 1n)] };
    expect([...ancestorsOf(circle, 1n)]).toHaveLength(2);
  });

  it('refuse ids that the table lacks', () => {
    expect(schemaForSnapshot(metadata, snapshot(3n, null)).schemaId).toBe(0);
    expect(() => schemaForSnapshot(metadata, { ...snapshot(3n, null), schemaId: 8 })).toThrow(
      expect.objectContaining({ code: 'INVALID_DATA' }),
    );
    expect(() => specById(metadata, 3)).toThrow(expect.objectContaining({ code: 'INVALID_DATA' }));
  });
});
