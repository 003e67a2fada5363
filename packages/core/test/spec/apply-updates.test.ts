import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyUpdates } from '../../src/spec/apply-updates.ts';
import { checkTableMetadata } from '../../src/spec/check-metadata.ts';
import { currentSchema, currentSnapshot, currentSpec } from '../../src/spec/metadata-accessors.ts';
import { newTableMetadata } from '../../src/spec/new-table-metadata.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import type { PartitionField } from '../../src/spec/partition-spec.ts';
import { columnToField, schema, t } from '../../src/spec/schema-builder.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { Snapshot, SnapshotRef } from '../../src/spec/snapshot.ts';
import { parseTableMetadata, serializeTableMetadata } from '../../src/spec/table-metadata-json.ts';
import type { FormatVersion, TableMetadata } from '../../src/spec/table-metadata.ts';
import type { TableUpdate } from '../../src/spec/updates.ts';

const NOW = 1_700_000_000_000;

function newTable(formatVersion: FormatVersion = 2): TableMetadata {
  return newTableMetadata({
    schema: schema({ id: t.long().required(), ts: t.timestamptz(), city: t.string() }),
    partitionBy: [partitionBy.day('ts'), partitionBy.bucket(16, 'id')],
    sortBy: ['id'],
    formatVersion,
    location: 's3://b/t',
    uuid: '9c12d441-03fe-4693-9a96-a0705ddf69c1',
    nowMs: NOW,
  });
}

function apply(base: TableMetadata, ...updates: TableUpdate[]): TableMetadata {
  return applyUpdates(base, updates, {
    nowMs: base.lastUpdatedMs + 1000,
    baseMetadataLocation: 's3://b/t/metadata/v1.metadata.json',
  });
}

/** A snapshot that fits on top of the metadata. */
function snapshotOn(base: TableMetadata, snapshotId: bigint, changes: Partial<Snapshot> = {}): Snapshot {
  const isV3 = base.formatVersion >= 3;
  return {
    snapshotId,
    parentSnapshotId: base.currentSnapshotId,
    sequenceNumber: base.formatVersion === 1 ? 0n : base.lastSequenceNumber + 1n,
    timestampMs: base.lastUpdatedMs + 500,
    manifestList: `s3://b/t/metadata/snap-${snapshotId}.avro`,
    manifests: null,
    operation: 'append',
    summary: {},
    schemaId: base.currentSchemaId,
    firstRowId: isV3 ? base.nextRowId : null,
    addedRows: isV3 ? 10n : null,
    keyId: null,
    unknownFields: {},
    ...changes,
  };
}

function refTo(snapshotId: bigint, type: SnapshotRef['type'] = 'branch'): SnapshotRef {
  return { snapshotId, type, minSnapshotsToKeep: null, maxSnapshotAgeMs: null, maxRefAgeMs: null };
}

const setRef = (refName: string, ref: SnapshotRef): TableUpdate => ({ action: 'set-snapshot-ref', refName, ref });
const setMain = (snapshotId: bigint): TableUpdate => setRef('main', refTo(snapshotId));
const add = (snapshot: Snapshot): TableUpdate => ({ action: 'add-snapshot', snapshot });

function append(base: TableMetadata, snapshotId: bigint): TableMetadata {
  return apply(base, add(snapshotOn(base, snapshotId)), setMain(snapshotId));
}

function withColumn(base: Schema, name: string, id: number): Schema {
  return { ...base, fields: [...base.fields, { ...columnToField(name, t.int()), id }] };
}

type UnboundField = Omit<PartitionField, 'fieldId'>;
const unbound = ({ sourceIds, name, transform }: PartitionField): UnboundField => ({ sourceIds, name, transform });
const logOf = (metadata: TableMetadata): readonly bigint[] => metadata.snapshotLog.map((entry) => entry.snapshotId);

describe('every version', () => {
  it('keeps the base when nothing changes', () => {
    const base = append(newTable(), 1n);
    const same: TableUpdate[] = [
      { action: 'set-properties', updates: {} },
      { action: 'remove-properties', removals: ['none'] },
      { action: 'set-location', location: base.location },
      { action: 'add-schema', schema: currentSchema(base) },
      { action: 'set-current-schema', schemaId: -1 },
      { action: 'add-spec', spec: currentSpec(base) },
      { action: 'set-default-spec', specId: -1 },
      { action: 'upgrade-format-version', formatVersion: 2 },
      { action: 'assign-uuid', uuid: base.tableUuid },
      { action: 'remove-snapshots', snapshotIds: [99n] },
      { action: 'remove-snapshot-ref', refName: 'none' },
      { action: 'remove-statistics', snapshotId: 1n },
      setMain(1n),
    ];
    expect(apply(base)).toBe(base);
    expect(apply(base, ...same)).toBe(base);
  });

  it('logs the file before it and trims the log to its set size', () => {
    let metadata = apply(newTable(), {
      action: 'set-properties',
      updates: { 'write.metadata.previous-versions-max': '3' },
    });
    const first = metadata.lastUpdatedMs;
    for (let i = 0; i < 5; i++) metadata = apply(metadata, { action: 'set-properties', updates: { i: String(i) } });
    expect(metadata.metadataLog).toHaveLength(3);
    expect(metadata.metadataLog.map((entry) => entry.timestampMs)).toEqual([first + 2000, first + 3000, first + 4000]);
  });

  it('never goes back in time', () => {
    const base = newTable();
    const updates: TableUpdate[] = [{ action: 'set-properties', updates: { a: 'b' } }];
    expect(applyUpdates(base, updates, { nowMs: 5, baseMetadataLocation: null }).lastUpdatedMs).toBe(NOW);
    expect(applyUpdates(base, updates, { nowMs: 5, baseMetadataLocation: null }).metadataLog).toEqual([]);
    const ahead = apply(base, add(snapshotOn(base, 1n, { timestampMs: NOW + 90_000 })), setMain(1n));
    expect(ahead.lastUpdatedMs).toBe(NOW + 90_000);
  });

  it('keeps what the updates do not concern', () => {
    const base: TableMetadata = {
      ...newTable(),
      unknownFields: { 'x-future': [1n] },
      encryptionKeys: [{ keyId: 'k', encryptedKeyMetadata: 'aWNl', encryptedById: null, properties: {} }],
    };
    const next = append(base, 1n);
    expect(next.unknownFields).toBe(base.unknownFields);
    expect(next.encryptionKeys).toBe(base.encryptionKeys);
  });
});

describe('snapshots', () => {
  it('grow the table and its log', () => {
    const one = append(newTable(), 1n);
    const two = append(one, 2n);
    expect(two.lastSequenceNumber).toBe(2n);
    expect(currentSnapshot(two)?.snapshotId).toBe(2n);
    expect(two.refs['main']?.snapshotId).toBe(2n);
    expect(two.snapshotLog).toEqual([
      { timestampMs: NOW + 500, snapshotId: 1n },
      { timestampMs: one.lastUpdatedMs + 500, snapshotId: 2n },
    ]);
  });

  it('take row ids in v3, on any branch', () => {
    const one = append(newTable(3), 1n);
    expect(one.nextRowId).toBe(10n);
    const two = apply(one, add(snapshotOn(one, 2n)), setRef('audit', refTo(2n)));
    expect(two.nextRowId).toBe(20n);
    expect(two.currentSnapshotId).toBe(1n);
    expect(logOf(two)).toEqual([1n]);
  });

  it('leave no trace in the log when replaced in the same commit', () => {
    const base = append(newTable(), 1n);
    const between = snapshotOn(base, 2n);
    const last = snapshotOn(base, 3n, { sequenceNumber: base.lastSequenceNumber + 2n });
    const next = apply(base, add(between), setMain(2n), add(last), setMain(3n));
    expect(logOf(next)).toEqual([1n, 3n]);
    expect(next.snapshots.map((snapshot) => snapshot.snapshotId)).toEqual([1n, 2n, 3n]);
  });

  it('are logged at the time of the rollback to them', () => {
    const two = append(append(newTable(), 1n), 2n);
    const back = apply(two, setMain(1n));
    expect(back.snapshotLog.at(-1)).toEqual({ timestampMs: two.lastUpdatedMs + 1000, snapshotId: 1n });
  });

  it('go with their statistics and refs, and with the history before them', () => {
    const statistics = {
      statisticsPath: 'p',
      fileSizeInBytes: 1,
      fileFooterSizeInBytes: 1,
      keyMetadata: null,
      blobMetadata: [],
      unknownFields: {},
    };
    const partition = { statisticsPath: 'p', fileSizeInBytes: 1, unknownFields: {} };
    const full = apply(
      append(append(append(newTable(), 1n), 2n), 3n),
      setRef('old', refTo(2n, 'tag')),
      ...[1n, 2n, 3n].flatMap((snapshotId): TableUpdate[] => [
        { action: 'set-statistics', statistics: { snapshotId, ...statistics } },
        { action: 'set-partition-statistics', statistics: { snapshotId, ...partition } },
      ]),
    );
    const expired = apply(full, { action: 'remove-snapshots', snapshotIds: [2n] });
    expect(expired.snapshots.map((snapshot) => snapshot.snapshotId)).toEqual([1n, 3n]);
    expect(expired.statistics.map((file) => file.snapshotId)).toEqual([1n, 3n]);
    expect(expired.partitionStatistics.map((file) => file.snapshotId)).toEqual([1n, 3n]);
    expect(Object.keys(expired.refs)).toEqual(['main']);
    expect(logOf(expired)).toEqual([3n]);

    const emptied = apply(full, { action: 'remove-snapshots', snapshotIds: [1n, 2n, 3n] });
    expect(emptied).toMatchObject({ currentSnapshotId: null, refs: {}, snapshots: [], snapshotLog: [] });
  });

  it.each<[string, FormatVersion, Partial<Snapshot>, string]>([
    ['has a known id', 2, { snapshotId: 1n }, 'INVALID_ARGUMENT'],
    ['has a schema that is unknown', 2, { schemaId: 7 }, 'INVALID_ARGUMENT'],
    ['has no manifest list', 2, { manifestList: null, manifests: [] }, 'INVALID_ARGUMENT'],
    ['has a sequence number in v1', 1, { sequenceNumber: 1n }, 'INVALID_ARGUMENT'],
    ['has no row ids in v3', 3, { firstRowId: null }, 'INVALID_ARGUMENT'],
    ['has an old sequence number', 2, { sequenceNumber: 1n }, 'COMMIT_CONFLICT'],
    ['has row ids that are taken', 3, { firstRowId: 9n }, 'COMMIT_CONFLICT'],
  ])('are refused when one %s', (_, formatVersion, changes, code) => {
    const base = append(newTable(formatVersion), 1n);
    const retryable = code === 'COMMIT_CONFLICT';
    expect(() => apply(base, add(snapshotOn(base, 2n, changes)))).toThrow(expect.objectContaining({ code, retryable }));
  });
});

describe('refs', () => {
  it('change and go', () => {
    const base = append(newTable(), 1n);
    const tagged = apply(base, setRef('eoy', { ...refTo(1n, 'tag'), maxRefAgeMs: 5 }), setRef('__proto__', refTo(1n)));
    expect(Object.keys(tagged.refs)).toEqual(['main', 'eoy', '__proto__']);
    expect(Object.keys(apply(tagged, { action: 'remove-snapshot-ref', refName: 'eoy' }).refs)).toEqual([
      'main',
      '__proto__',
    ]);
    expect(apply(tagged, { action: 'remove-snapshot-ref', refName: 'main' }).currentSnapshotId).toBeNull();
    expect(parseTableMetadata(serializeTableMetadata(tagged), 'x')).toEqual(tagged);
  });

  it.each<[string, string, SnapshotRef]>([
    ['an unknown snapshot', 'b', refTo(7n)],
    ['main as a tag', 'main', refTo(1n, 'tag')],
    ['a branch made a tag', 'audit', refTo(1n, 'tag')],
    ['an empty name', '', refTo(1n)],
    ['a tag that keeps snapshots', 't', { ...refTo(1n, 'tag'), minSnapshotsToKeep: 1 }],
    ['a limit of zero', 'b', { ...refTo(1n), maxRefAgeMs: 0 }],
  ])('are refused with %s', (_, name, ref) => {
    const base = append(newTable(), 1n);
    const branched = apply(base, setRef('audit', refTo(1n)));
    expect(() => apply(branched, setRef(name, ref))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('schemas, specs and sort orders', () => {
  it('get ids, and equal ones are found again', () => {
    const base = newTable();
    const wider = withColumn(currentSchema(base), 'n', 4);
    const next = apply(base, { action: 'add-schema', schema: wider }, { action: 'set-current-schema', schemaId: -1 });
    expect(next).toMatchObject({ currentSchemaId: 1, lastColumnId: 4 });
    expect(next.schemas).toHaveLength(2);
    const back = apply(
      next,
      { action: 'add-schema', schema: { ...currentSchema(base), schemaId: 9 } },
      { action: 'set-current-schema', schemaId: -1 },
    );
    expect(back).toMatchObject({ currentSchemaId: 0, lastColumnId: 4 });
    expect(back.schemas).toHaveLength(2);
  });

  it('give partition fields of equal meaning equal ids', () => {
    const base = newTable();
    const [day, bucket] = currentSpec(base).fields.map(unbound) as [UnboundField, UnboundField];
    const city = { sourceIds: [3], name: 'city', transform: { kind: 'identity' as const } };
    const dropped = apply(
      base,
      { action: 'add-spec', spec: { fields: [day, city] } },
      { action: 'set-default-spec', specId: -1 },
    );
    expect(currentSpec(dropped)).toMatchObject({ specId: 1, fields: [{ fieldId: 1000 }, { fieldId: 1002 }] });
    expect(dropped.lastPartitionId).toBe(1002);
    const again = apply(
      dropped,
      { action: 'add-spec', spec: { fields: [city, bucket] } },
      { action: 'set-default-spec', specId: -1 },
    );
    expect(currentSpec(again)).toMatchObject({ specId: 2, fields: [{ fieldId: 1002 }, { fieldId: 1001 }] });
    const first = apply(
      again,
      { action: 'add-spec', spec: { fields: [day, bucket] } },
      { action: 'set-default-spec', specId: -1 },
    );
    expect(first.defaultSpecId).toBe(0);
  });

  it('number v1 partition fields by position', () => {
    const base = newTable(1);
    const fields = currentSpec(base).fields.map((field, i) =>
      i === 0 ? { ...field, transform: { kind: 'void' as const } } : field,
    );
    expect(
      currentSpec(apply(base, { action: 'add-spec', spec: { fields } }, { action: 'set-default-spec', specId: -1 }))
        .fields,
    ).toEqual(fields);
    const shifted = { fields: currentSpec(base).fields.slice(1) };
    expect(() => apply(base, { action: 'add-spec', spec: shifted })).toThrow(/must have the id 1000/);
  });

  it('add sort orders from 1 on, 0 being the unsorted one', () => {
    const base = newTable();
    const unsorted = apply(
      base,
      { action: 'add-sort-order', fields: [] },
      { action: 'set-default-sort-order', sortOrderId: -1 },
    );
    expect(unsorted.defaultSortOrderId).toBe(0);
    const fields = [
      {
        sourceIds: [3],
        transform: { kind: 'identity' as const },
        direction: 'asc' as const,
        nullOrder: 'nulls-first' as const,
      },
    ];
    const sorted = apply(
      unsorted,
      { action: 'add-sort-order', fields },
      { action: 'set-default-sort-order', sortOrderId: -1 },
    );
    expect(sorted.defaultSortOrderId).toBe(2);
  });

  const city: TableUpdate = {
    action: 'add-spec',
    spec: { fields: [{ sourceIds: [3], name: 'c', transform: { kind: 'day' } }] },
  };
  it.each<[string, TableUpdate[], string]>([
    ['an unknown current schema', [{ action: 'set-current-schema', schemaId: 7 }], 'no schema 7'],
    ['a last added one that is none', [{ action: 'set-default-spec', specId: -1 }], 'none was added'],
    ['an unknown spec', [{ action: 'set-default-spec', specId: 7 }], 'no partition spec 7'],
    ['an unknown sort order', [{ action: 'set-default-sort-order', sortOrderId: 7 }], 'no sort order 7'],
    ['a current schema to remove', [{ action: 'remove-schemas', schemaIds: [0] }], 'current'],
    ['a default spec to remove', [{ action: 'remove-partition-specs', specIds: [0] }], 'default'],
    ['a type of v3', [{ action: 'add-schema', schema: schema({ v: t.variant() }) }], 'format version 3'],
    ['a default in v2', [{ action: 'add-schema', schema: schema({ v: t.int().default(1) }) }], 'format version 3'],
    ['a transform that the column does not take', [city], "doesn't take 'city'"],
    [
      'a schema without the columns of the spec',
      [
        { action: 'add-schema', schema: { ...schema({ id: t.long().required() }) } },
        { action: 'set-current-schema', schemaId: -1 },
      ],
      'column 2',
    ],
    ['a way back to v1', [{ action: 'upgrade-format-version', formatVersion: 1 }], "can't go back"],
  ])('refuse %s', (_, updates, message) => {
    expect(() => apply(newTable(), ...updates)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) }),
    );
  });
});

describe('the rest', () => {
  it('sets and removes properties, statistics and keys', () => {
    const base = append(newTable(), 1n);
    const key = { keyId: 'k', encryptedKeyMetadata: 'aWNl', encryptedById: null, properties: {} };
    const file = { snapshotId: 1n, statisticsPath: 'p', fileSizeInBytes: 1, unknownFields: {} };
    const next = apply(
      base,
      { action: 'set-properties', updates: { a: '1', __proto__x: '2' } },
      { action: 'add-encryption-key', key },
      { action: 'add-encryption-key', key },
      { action: 'set-partition-statistics', statistics: file },
      { action: 'set-partition-statistics', statistics: { ...file, statisticsPath: 'q' } },
      { action: 'set-location', location: 's3://b/u' },
    );
    expect(next).toMatchObject({ properties: { a: '1' }, encryptionKeys: [key], location: 's3://b/u' });
    expect(next.partitionStatistics.map((one) => one.statisticsPath)).toEqual(['q']);
    const less = apply(
      next,
      { action: 'remove-properties', removals: ['a'] },
      { action: 'remove-encryption-key', keyId: 'k' },
      { action: 'remove-partition-statistics', snapshotId: 1n },
    );
    expect(less).toMatchObject({ properties: { __proto__x: '2' }, encryptionKeys: [], partitionStatistics: [] });
  });

  it('upgrades step by step or at once', () => {
    const upgraded = apply(append(newTable(1), 1n), { action: 'upgrade-format-version', formatVersion: 3 });
    expect(upgraded).toMatchObject({ formatVersion: 3, nextRowId: 0n, lastSequenceNumber: 0n });
    const next = append(upgraded, 2n);
    expect(next).toMatchObject({ nextRowId: 10n, lastSequenceNumber: 1n });
    expect(parseTableMetadata(serializeTableMetadata(next), 'x')).toEqual(next);
  });
});

const anyOf = (metadata: TableMetadata, n: number): bigint =>
  metadata.snapshots.at(n % metadata.snapshots.length)?.snapshotId ?? 0n;

describe('any sequence of updates', () => {
  type Step = (metadata: TableMetadata, id: bigint) => TableUpdate[];
  const step: fc.Arbitrary<Step> = fc.tuple(fc.nat(8), fc.nat(20)).map(([kind, n]): Step => {
    const steps: readonly Step[] = [
      (metadata, id) => [add(snapshotOn(metadata, id)), setMain(id)],
      (metadata, id) => [
        add(snapshotOn(metadata, id, { timestampMs: metadata.lastUpdatedMs + n })),
        setRef(`b${n % 3}`, refTo(id)),
      ],
      (metadata) => (metadata.snapshots.length > 0 ? [setMain(anyOf(metadata, n))] : []),
      (metadata) =>
        metadata.snapshots.length > 0 ? [{ action: 'remove-snapshots', snapshotIds: [anyOf(metadata, n)] }] : [],
      () => [{ action: 'remove-snapshot-ref', refName: ['main', 'b0', 'b1'].at(n % 3) ?? '' }],
      (metadata) => [
        {
          action: 'add-schema',
          schema: withColumn(currentSchema(metadata), `c${metadata.lastColumnId + 1}`, metadata.lastColumnId + 1),
        },
        { action: 'set-current-schema', schemaId: -1 },
      ],
      (metadata) => [
        {
          action: 'add-spec',
          spec: {
            fields: currentSpec(metadata)
              .fields.map((field) => ({ sourceIds: field.sourceIds, name: field.name, transform: field.transform }))
              .filter((field) => metadata.formatVersion === 1 || field.name !== `p${n % 3}`)
              .concat({
                sourceIds: [1],
                name: `p${n}_${metadata.lastPartitionId}`,
                transform: { kind: 'truncate', width: metadata.lastPartitionId * 100 + n },
              }),
          },
        },
        { action: 'set-default-spec', specId: -1 },
      ],
      (metadata) => [
        {
          action: 'upgrade-format-version',
          formatVersion: Math.min(3, metadata.formatVersion + (n % 2)) as FormatVersion,
        },
      ],
      () => [{ action: 'set-properties', updates: { [`k${n % 4}`]: String(n) } }],
    ];
    return steps.at(kind) ?? (() => []);
  });

  it('keeps the invariants of the format', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<FormatVersion>(1, 2, 3),
        fc.array(step, { maxLength: 15 }),
        fc.array(fc.nat(3000)),
        (version, steps, clocks) => {
          let metadata = newTable(version);
          steps.forEach((next, i) => {
            const before = metadata;
            metadata = applyUpdates(before, next(before, BigInt(i + 1)), {
              nowMs: NOW + (clocks[i] ?? 0),
              baseMetadataLocation: `v${i}`,
            });
            checkTableMetadata(metadata);
            expect(metadata.lastUpdatedMs).toBeGreaterThanOrEqual(before.lastUpdatedMs);
            expect(metadata.lastSequenceNumber).toBeGreaterThanOrEqual(before.lastSequenceNumber);
            expect(metadata.nextRowId).toBeGreaterThanOrEqual(before.nextRowId);
            expect(metadata.lastColumnId).toBeGreaterThanOrEqual(before.lastColumnId);
            expect(metadata.lastPartitionId).toBeGreaterThanOrEqual(before.lastPartitionId);
            expect(metadata.metadataLog).toHaveLength(before.metadataLog.length + (metadata === before ? 0 : 1));
          });
          const times = metadata.snapshotLog.map((entry) => entry.timestampMs);
          expect(times).toEqual(times.toSorted((a, b) => a - b));
          expect(metadata.lastUpdatedMs).toBeGreaterThanOrEqual(times.at(-1) ?? 0);
          const last = metadata.snapshotLog.at(-1)?.snapshotId;
          expect([null, last]).toContain(metadata.currentSnapshotId);
          expect(parseTableMetadata(serializeTableMetadata(metadata), 'x')).toEqual(metadata);
        },
      ),
      { numRuns: 150 },
    );
  });
});
