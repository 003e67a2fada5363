import type { BoundExpression } from '../../src/expr/bound-expression.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { writeManifestList } from '../../src/manifest/write-manifest-list.ts';
import { writeManifest, type NewManifestEntry } from '../../src/manifest/write-manifest.ts';
import type { FileScanTask, ScanMetrics } from '../../src/scan/file-scan-task.ts';
import { planScan, type PlanScanOptions } from '../../src/scan/plan-scan.ts';
import type { ManifestContent, ManifestFile } from '../../src/spec/manifest.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';
import type { FormatVersion, TableMetadata } from '../../src/spec/table-metadata.ts';
import { newTableMetadata } from '../../src/spec/new-table-metadata.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';

export const SNAPSHOT_ID = 5n;
const LIST = 's3://b/t/metadata/snap.avro';

export interface ManifestInput {
  readonly spec: PartitionSpec;
  readonly content?: ManifestContent;
  /** Of the manifest: what its added entries inherit. */
  readonly sequenceNumber?: bigint;
  readonly entries: readonly Omit<NewManifestEntry, 'snapshotId'>[];
}

/** A table of one snapshot, whose manifests are given. */
export class ScannedTable {
  readonly io: MemoryFileIO = new MemoryFileIO();
  readonly metadata: TableMetadata;
  readonly snapshot: Snapshot;
  readonly schema: Schema;
  manifests: readonly ManifestFile[] = [];

  constructor(schema: Schema, specs: readonly PartitionSpec[], formatVersion: FormatVersion = 2) {
    const location = 's3://b/t';
    const fresh = newTableMetadata({
      schema,
      formatVersion,
      location,
      uuid: '00000000-0000-4000-8000-000000000000',
      nowMs: 0,
    });
    this.metadata = { ...fresh, schemas: [schema], partitionSpecs: specs };
    this.schema = schema;
    this.snapshot = {
      snapshotId: SNAPSHOT_ID,
      parentSnapshotId: null,
      sequenceNumber: 100n,
      timestampMs: 0,
      manifestList: LIST,
      manifests: null,
      operation: 'append',
      summary: {},
      schemaId: schema.schemaId,
      firstRowId: formatVersion === 3 ? 0n : null,
      addedRows: null,
      keyId: null,
      unknownFields: {},
    };
  }

  async write(inputs: readonly ManifestInput[]): Promise<this> {
    const { formatVersion } = this.metadata;
    const manifests: ManifestFile[] = [];
    for (const [i, { spec, content = 'data', sequenceNumber, entries }] of inputs.entries()) {
      const location = `s3://b/t/metadata/m${i}.avro`;
      const options = {
        io: this.io,
        location,
        formatVersion,
        schema: this.schema,
        spec,
        content,
        snapshotId: SNAPSHOT_ID,
      };
      const written = await writeManifest(
        options,
        entries.map((entry) => ({ ...entry, snapshotId: SNAPSHOT_ID })),
      );
      const minSequenceNumber = written.minSequenceNumber < 0n ? sequenceNumber : written.minSequenceNumber;
      manifests.push(
        sequenceNumber === undefined ? written : { ...written, sequenceNumber, minSequenceNumber: minSequenceNumber! },
      );
    }
    return this.list(manifests);
  }

  async list(manifests: readonly ManifestFile[]): Promise<this> {
    const written = await writeManifestList(
      {
        io: this.io,
        location: LIST,
        formatVersion: this.metadata.formatVersion,
        snapshotId: SNAPSHOT_ID,
        parentSnapshotId: null,
        sequenceNumber: 100n,
        ...(this.metadata.formatVersion === 3 && { firstRowId: 0n }),
      },
      manifests,
    );
    this.manifests = written.manifests;
    return this;
  }

  options(filter: BoundExpression, over: Partial<PlanScanOptions> = {}): PlanScanOptions {
    const { io, metadata, snapshot, schema } = this;
    return { io, metadata, snapshot, schema, filter, runtime: new SeededRuntime(1), ...over };
  }

  async plan(
    filter: BoundExpression,
    over: Partial<PlanScanOptions> = {},
  ): Promise<{ tasks: readonly FileScanTask[]; metrics: ScanMetrics }> {
    const plan = planScan(this.options(filter, over));
    const tasks: FileScanTask[] = [];
    for await (const task of plan.tasks) tasks.push(task);
    return { tasks, metrics: plan.metrics() };
  }
}
