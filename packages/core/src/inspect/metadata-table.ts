import { Table as ArrowTable } from 'apache-arrow';
import type { RecordBatch } from 'apache-arrow';
import { arrowSchema } from '../columns/arrow-schema.ts';
import type { ColumnBatch } from '../columns/column.ts';
import { toRecordBatch } from '../columns/to-arrow.ts';
import { invalidArgument } from '../errors.ts';
import { bindExpression } from '../expr/bind.ts';
import type { BoundExpression } from '../expr/bound-expression.ts';
import { toExpression } from '../expr/filter-input.ts';
import type { FilterInput } from '../expr/filter-input.ts';
import { columnsToRows } from '../read/batch-rows.ts';
import type { RowOptions } from '../read/batch-rows.ts';
import type { Schema } from '../spec/schema.ts';
import type { StructType } from '../spec/types.ts';
import type { ScanTargetOptions } from '../table-scan/scan-target.ts';
import { selectColumns } from '../table-scan/select-columns.ts';
import type { InspectedTable } from './metadata-table-definition.ts';
import type { MetadataTableName } from './metadata-table-name.ts';
import { openMetadataTable } from './open-metadata-table.ts';
import type { MetadataTableColumns } from './open-metadata-table.ts';

export interface InspectOptions extends ScanTargetOptions {
  /** Rows for which it is TRUE: `"content = 0 AND partition.day >= '2024-01-01'"`. */
  readonly filter?: FilterInput | undefined;
  /** Columns and parts of them ('readable_metrics.city.lower_bound'); all if left out. What isn't asked for isn't decoded. */
  readonly select?: readonly string[] | undefined;
  /** At most so many rows; which ones is not said. */
  readonly limit?: number | undefined;
  /** Whether names in `filter` and `select` must match in case; true if left out. */
  readonly caseSensitive?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

const INSPECT_OPTIONS: Readonly<Record<keyof InspectOptions, true>> = {
  filter: true,
  select: true,
  limit: true,
  caseSensitive: true,
  signal: true,
  snapshotId: true,
  ref: true,
  asOf: true,
};

/** A table about a table: its files, its snapshots, and so on. It can be read any number of times. */
export class MetadataTable {
  readonly name: MetadataTableName;
  /** The selected columns. */
  readonly schema: Schema;
  readonly #columns: MetadataTableColumns;
  readonly #filter: BoundExpression;
  readonly #limit: number | undefined;
  readonly #signal: AbortSignal | undefined;

  /** For `table.metadataTable()`. */
  constructor(table: InspectedTable, name: MetadataTableName, options: InspectOptions) {
    refuseUnknownOptions(options);
    const { filter, select, limit, caseSensitive = true, signal } = options;
    if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0)) {
      throw invalidArgument(`limit must be a whole number of rows, not ${String(limit)}.`);
    }
    this.name = name;
    this.#columns = openMetadataTable(table, name, options);
    const { schema } = this.#columns;
    this.#filter = bindExpression(schema, filter === undefined ? { op: 'true' } : toExpression(filter), {
      caseSensitive,
    });
    const { projection, metadataColumns } = selectColumns(schema, select, caseSensitive);
    if (metadataColumns.length > 0) {
      throw invalidArgument(`The table '${name}' has no column '${metadataColumns[0]}': only rows of files do.`);
    }
    this.schema = projection;
    this.#limit = limit;
    this.#signal = signal;
  }

  /** The rows as Arrow record batches, read as fast as they are taken. */
  async *batches(): AsyncGenerator<RecordBatch, void, undefined> {
    const schema = arrowSchema(this.schema);
    for await (const batch of this.#read(this.schema)) yield toRecordBatch(schema, batch);
  }

  /** All rows as one Arrow table. */
  async toArrow(): Promise<ArrowTable> {
    const batches: RecordBatch[] = [];
    for await (const batch of this.batches()) batches.push(batch);
    return new ArrowTable(arrowSchema(this.schema), batches);
  }

  /** The rows as objects, read as fast as they are taken. */
  async *rows(options: RowOptions = {}): AsyncGenerator<Record<string, unknown>, void, undefined> {
    for await (const batch of this.#read(this.schema)) yield* columnsToRows(batch, this.schema.fields, options);
  }

  /** All rows as objects; the README's table says how values look. */
  async toRows(options: RowOptions = {}): Promise<Record<string, unknown>[]> {
    const rows: Record<string, unknown>[] = [];
    for await (const row of this.rows(options)) rows.push(row);
    return rows;
  }

  /** The number of rows; no column is decoded for it but those of the filter. */
  async count(): Promise<number> {
    let count = 0;
    for await (const { length } of this.#read({ kind: 'struct', fields: [] })) count += length;
    return count;
  }

  #read(projection: StructType): AsyncGenerator<ColumnBatch, void, undefined> {
    return this.#columns.batches({ projection, filter: this.#filter, limit: this.#limit, signal: this.#signal });
  }
}

/** A misspelt `filter` must not read the whole table. */
function refuseUnknownOptions(options: InspectOptions): void {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(INSPECT_OPTIONS, name)) {
      throw invalidArgument(
        `Metadata tables have no option '${name}'; they have ${Object.keys(INSPECT_OPTIONS).join(', ')}.`,
      );
    }
  }
}
