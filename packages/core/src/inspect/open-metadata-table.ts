import type { ColumnBatch } from '../columns/column.ts';
import { concatBatches } from '../columns/concat.ts';
import { sliceBatch } from '../columns/slice.ts';
import { invalidArgument, throwIfAborted } from '../errors.ts';
import type { BoundExpression } from '../expr/bound-expression.ts';
import type { Schema } from '../spec/schema.ts';
import type { StructType } from '../spec/types.ts';
import { resolveScanTarget } from '../table-scan/scan-target.ts';
import type { ScanTargetOptions } from '../table-scan/scan-target.ts';
import { entryTable } from './entry-tables.ts';
import { allManifestsTable, manifestsTable } from './manifest-tables.ts';
import type { InspectedTable, MetadataTableDefinition } from './metadata-table-definition.ts';
import { METADATA_TABLE_NAMES, isMetadataTableName } from './metadata-table-name.ts';
import type { MetadataTableName } from './metadata-table-name.ts';
import { partitionsTable } from './partitions-table.ts';
import { positionDeletesTable } from './position-deletes-table.ts';
import { historyTable, metadataLogEntriesTable, refsTable, snapshotsTable } from './snapshot-tables.ts';

const DEFINITIONS: Readonly<Record<MetadataTableName, MetadataTableDefinition>> = {
  files: entryTable({ all: false, files: true }),
  data_files: entryTable({ all: false, files: true, content: 'data' }),
  delete_files: entryTable({ all: false, files: true, content: 'deletes' }),
  all_files: entryTable({ all: true, files: true }),
  all_data_files: entryTable({ all: true, files: true, content: 'data' }),
  all_delete_files: entryTable({ all: true, files: true, content: 'deletes' }),
  entries: entryTable({ all: false, files: false }),
  all_entries: entryTable({ all: true, files: false }),
  manifests: manifestsTable,
  all_manifests: allManifestsTable,
  snapshots: snapshotsTable,
  history: historyTable,
  refs: refsTable,
  partitions: partitionsTable,
  metadata_log_entries: metadataLogEntriesTable,
  position_deletes: positionDeletesTable,
};

const EVERYTHING: BoundExpression = { op: 'true' };

/** A metadata table in the library's own columnar form. */
export interface MetadataTableColumns {
  readonly schema: Schema;
  /**
   * The rows for which the filter is true, read as they are taken. INVALID_DATA for damaged manifests and delete files,
   * UNSUPPORTED for encrypted ones.
   */
  readonly batches: (options?: ReadColumnsOptions) => AsyncGenerator<ColumnBatch, void, undefined>;
}

export interface ReadColumnsOptions {
  /** Fields of `schema`, or parts of them; all if left out. What isn't asked for isn't decoded. */
  readonly projection?: StructType | undefined;
  /** Bound to `schema`. It is used before the rest of a row is decoded, and to leave out manifests. */
  readonly filter?: BoundExpression | undefined;
  /** At most so many rows. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A metadata table, by Spark's name for it, with Spark's columns: of the table's current snapshot, or of another one for
 * tables that are about a snapshot. INVALID_ARGUMENT for an unknown name, and for a snapshot where rows are of all
 * snapshots (`all_…`).
 */
export function openMetadataTable(
  table: InspectedTable,
  name: MetadataTableName,
  at: ScanTargetOptions = {},
): MetadataTableColumns {
  if (!isMetadataTableName(name)) {
    throw invalidArgument(
      `There is no metadata table '${String(name)}'; there are ${METADATA_TABLE_NAMES.join(', ')}.`,
    );
  }
  const definition = DEFINITIONS[name];
  const { snapshotId, ref, asOf } = at;
  const { snapshot } = resolveScanTarget(table.metadata, { snapshotId, ref, asOf });
  if (definition.snapshot === 'refused' && [snapshotId, ref, asOf].some((option) => option !== undefined)) {
    throw invalidArgument(`'${name}' is about all snapshots of the table: leave out snapshotId, ref and asOf.`);
  }
  const opened = definition.open(table);
  const schema: Schema = { ...opened.schema, schemaId: 0, identifierFieldIds: [] };
  return {
    schema,
    batches: ({ projection = schema, filter = EVERYTHING, limit = Number.POSITIVE_INFINITY, signal } = {}) =>
      joined(opened.read({ snapshot, projection, filter, signal }), limit, signal),
  };
}

/** Batches of less rows are put together. */
const FEW_ROWS = 1024;

/** A table of many small commits has as many manifests of a few entries: not worth a batch each. */
async function* joined(
  batches: AsyncIterable<ColumnBatch>,
  limit: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<ColumnBatch, void, undefined> {
  throwIfAborted(signal);
  let left = limit;
  if (left === 0) return;
  let small: ColumnBatch[] = [];
  let length = 0;
  const join = (): ColumnBatch => {
    const whole = sliceBatch(concatBatches(small), 0, Math.min(length, left));
    small = [];
    length = 0;
    left -= whole.length;
    return whole;
  };
  for await (const batch of batches) {
    small.push(batch);
    length += batch.length;
    if (length < Math.min(FEW_ROWS, left)) continue;
    yield join();
    if (left === 0) return;
  }
  if (length > 0) yield join();
}
