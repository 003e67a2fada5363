import type { ChangesOptions } from '../changes/change-range.ts';
import { CHANGE_COLUMNS } from '../changes/change-columns.ts';
import { projector } from '../changes/project-columns.ts';
import type { TableChanges } from '../changes/table-changes.ts';
import type { Schema } from '../spec/schema.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { resolveScanTarget } from '../table-scan/scan-target.ts';
import type { ScanTargetOptions } from '../table-scan/scan-target.ts';
import type { MetadataTableColumns } from './open-metadata-table.ts';

/** The table whose changes are read. A `Table` is one. */
export interface ChangedTable {
  readonly metadata: TableMetadata;
  changes(options: ChangesOptions): TableChanges;
}

/** Between which states: the changes after `from` (from the first snapshot on if left out), up to `to` and with it. */
export interface ChangedStates {
  readonly from?: ScanTargetOptions | undefined;
  readonly to?: ScanTargetOptions | undefined;
}

/**
 * The changes of a table's rows as a table of its own: the table's columns, and those that say what became of the row.
 * Columns that aren't asked for aren't read; a filter is not used. NOT_FOUND and INVALID_ARGUMENT as of `table.changes()`.
 */
export function openChanges(table: ChangedTable, { from, to }: ChangedStates): MetadataTableColumns {
  const range: ChangesOptions = {
    from: from && (resolveScanTarget(table.metadata, from).snapshot?.snapshotId ?? null),
    ...endOf(table.metadata, to),
  };
  const whole = table.changes(range).schema;
  const schema: Schema = { ...whole, schemaId: 0, identifierFieldIds: [] };
  return {
    schema,
    async *batches({ projection = schema, signal } = {}) {
      const own = new Set(CHANGE_COLUMNS.map(({ id }) => id));
      const names = projection.fields.flatMap(({ id, name }) => (own.has(id) ? [] : [name]));
      // Some column has to be read for the number of rows.
      const select = names.length > 0 ? names : schema.fields.slice(0, 1).map(({ name }) => name);
      const changes = table.changes({ ...range, select, signal });
      const project = projector(changes.schema, projection, 0);
      for await (const batch of changes.columnBatches()) yield project(batch);
    },
  };
}

function endOf(metadata: TableMetadata, to: ScanTargetOptions | undefined): ChangesOptions {
  if (to === undefined) return {};
  // Of a branch, rows are read in the table's current schema.
  if (to.ref !== undefined) return { ref: to.ref };
  const { snapshot } = resolveScanTarget(metadata, to);
  return snapshot === null ? {} : { to: snapshot.snapshotId };
}
