import type { Column, ColumnBatch, NumbersColumn } from '../columns/column.ts';
import { bitmapSize, isValid, setBit } from '../columns/column.ts';
import { takeBatch, takeRows } from '../columns/take.ts';
import { concatColumns } from '../columns/concat.ts';
import type { BoundExpression } from '../expr/bound-expression.ts';
import { referencedFieldIds } from '../expr/referenced.ts';
import { readAvroContainer } from '../formats/avro/container.ts';
import type { AvroBlock, AvroContainer } from '../formats/avro/container.ts';
import { STATUS } from '../manifest/entry-decoder.ts';
import { ENTRY_FIELD, FILE_FIELD } from '../manifest/manifest-schema.ts';
import { checkManifestContent, manifestVersion } from '../manifest/read-manifest.ts';
import { batchFilter } from '../read/filter-batch.ts';
import type { BatchFilter } from '../read/filter-batch.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import { specById } from '../spec/metadata-accessors.ts';
import { selectFields } from '../spec/select-fields.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { StructType } from '../spec/types.ts';
import { entryColumns, entryPart } from './entry-columns.ts';
import type { EntryColumns, EntryPart, StoredColumn } from './entry-columns.ts';
import type { FileTables } from './file-tables-schema.ts';
import { StoredEntries } from './stored-entries.ts';

export interface EntryScanOptions {
  readonly metadata: TableMetadata;
  readonly tables: FileTables;
  /** `tables.files` or `tables.entries`. */
  readonly schema: StructType;
  /** What is wanted of the schema. */
  readonly projection: StructType;
  /** Rows for which it is true. */
  readonly filter: BoundExpression;
  /** Leave out entries of deleted files. */
  readonly liveOnly: boolean;
}

/** What is the same for all manifests that are read. */
export interface EntryScan {
  readonly metadata: TableMetadata;
  readonly liveOnly: boolean;
  readonly filter: BatchFilter;
  /** What decides which entries are wanted; null if there is no filter. */
  readonly deciding: EntryPart | null;
  readonly results: EntryPart;
  readonly wantsRowIds: boolean;
}

export function entryScan({ metadata, tables, schema, projection, filter, liveOnly }: EntryScanOptions): EntryScan {
  const filtered = selectFields(schema, referencedFieldIds(filter));
  const wantsRowIds = hasRowIds(projection) || hasRowIds(filtered);
  const needed = [...(liveOnly ? [ENTRY_FIELD.status] : []), ...(wantsRowIds ? ROW_ID_FIELDS : [])];
  const looksAhead = filter.op !== 'true';
  return {
    metadata,
    liveOnly,
    wantsRowIds,
    filter: batchFilter(filter, filtered),
    deciding: looksAhead ? entryPart(filtered, tables, needed) : null,
    results: entryPart(projection, tables, looksAhead ? [] : needed),
  };
}

/** The most rows of a batch, and about the most bytes. */
const BATCH_ROWS = 8192;
const BATCH_BYTES = 8 * 1024 * 1024;
/** After how many rows their bytes are looked at. */
const ROWS_PER_CHECK = 256;

/**
 * The entries of a manifest as batches of the projection. Entries that the filter doesn't want cost no more than the
 * columns that it looks at: what else there is of them, mostly statistics, is passed over. INVALID_DATA for a damaged
 * manifest.
 */
export function* entryBatches(bytes: Uint8Array, manifest: ManifestFile, scan: EntryScan): Generator<ColumnBatch> {
  const reader = new EntryReader(readAvroContainer(bytes, manifest.path), manifest, scan);
  yield* reader.batches();
}

class EntryReader {
  readonly #container: AvroContainer;
  readonly #manifest: ManifestFile;
  readonly #version: number;
  readonly #scan: EntryScan;
  readonly #deciding: StoredEntries | null;
  readonly #results: StoredEntries;
  readonly #inheritsRowIds: boolean;
  #nextRowId: bigint;
  /** First row ids of the chosen entries in `#results`. */
  #rowIds: Column[] = [];

  constructor(container: AvroContainer, manifest: ManifestFile, scan: EntryScan) {
    this.#container = container;
    this.#manifest = manifest;
    this.#scan = scan;
    this.#version = manifestVersion(container, manifest);
    checkManifestContent(container, manifest);
    this.#inheritsRowIds = scan.wantsRowIds && manifest.firstRowId !== null;
    this.#nextRowId = manifest.firstRowId ?? 0n;
    const spec = specById(scan.metadata, manifest.partitionSpecId);
    const entries = ({ stored }: EntryPart) => new StoredEntries(container.schema, manifest.path, spec, stored);
    this.#deciding = scan.deciding && entries(scan.deciding);
    this.#results = entries(scan.results);
  }

  *batches(): Generator<ColumnBatch> {
    for (const block of this.#container.blocks()) {
      yield* this.#deciding ? this.#chosen(block, this.#deciding, this.#scan.deciding!) : this.#all(block);
    }
    if (this.#results.length > 0) yield* this.#finish();
  }

  *#all({ count, reader }: AvroBlock): Generator<ColumnBatch> {
    for (let i = 0; i < count; i++) {
      this.#results.decode(reader);
      if (isFull(this.#results)) yield* this.#finish();
    }
  }

  /** Goes over a block twice: first for what decides, then for all that is wanted of the entries that passed. */
  *#chosen({ count, reader }: AvroBlock, deciding: StoredEntries, part: EntryPart): Generator<ColumnBatch> {
    const starts = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      starts[i] = reader.position;
      deciding.decode(reader);
    }
    const end = reader.position;
    const stored = storedColumns(part, deciding.finish());
    const rowIds = this.#inheritRowIds(stored, count);
    const batch = { length: count, columns: entryColumns(part, this.#entries(stored, count, rowIds)) };
    const rows = this.#live(stored, this.#scan.filter(batch), count) ?? Int32Array.from({ length: count }, (_, i) => i);
    const results = this.#results;
    for (let i = 0, from = 0; i < rows.length; i++) {
      reader.position = starts[rows[i]!]!;
      results.decode(reader);
      if (!isFull(results) && i < rows.length - 1) continue;
      if (rowIds) this.#rowIds.push(takeRows(rowIds, rows.subarray(from, i + 1)));
      from = i + 1;
      if (isFull(results)) yield* this.#finish();
    }
    reader.position = end;
  }

  *#finish(): Generator<ColumnBatch> {
    const { length } = this.#results;
    const part = this.#scan.results;
    const stored = storedColumns(part, this.#results.finish());
    const rowIds = this.#deciding ? this.#takeRowIds() : this.#inheritRowIds(stored, length);
    const columns = entryColumns(part, this.#entries(stored, length, rowIds));
    const rows = this.#deciding ? null : this.#live(stored, null, length);
    if (rows === null) yield { length, columns };
    else if (rows.length > 0) yield takeBatch({ length, columns }, rows);
  }

  #entries(stored: Stored, length: number, firstRowIds: Column | null): EntryColumns {
    return { length, manifest: this.#manifest, version: this.#version, stored, firstRowIds };
  }

  /** Of the rows, all if null, those that are not deleted; null if that are all of the batch. */
  #live(stored: Stored, rows: Int32Array | null, length: number): Int32Array | null {
    if (!this.#scan.liveOnly) return rows;
    const status = (stored(ENTRY_FIELD.status).column as NumbersColumn).values as Int32Array;
    if (rows) return rows.filter((row) => status[row] !== STATUS.deleted);
    if (!status.includes(STATUS.deleted)) return null;
    return Int32Array.from({ length }, (_, i) => i).filter((row) => status[row] !== STATUS.deleted);
  }

  #takeRowIds(): Column | null {
    const rowIds = this.#rowIds.length > 0 ? concatColumns(this.#rowIds) : null;
    this.#rowIds = [];
    return rowIds;
  }

  /**
   * Entries without one get the next free ids, live ones only (spec: "First Row ID Inheritance"): to be called for all
   * entries, in their order. Null if nobody asks for them.
   */
  #inheritRowIds(stored: Stored, length: number): Column | null {
    if (!this.#inheritsRowIds) return null;
    const [own, status, counts] = [FILE_FIELD.firstRowId, ENTRY_FIELD.status, FILE_FIELD.recordCount].map(
      (id) => stored(id).column as NumbersColumn,
    ) as [NumbersColumn, NumbersColumn, NumbersColumn];
    const values = new BigInt64Array(length);
    const validity = new Uint8Array(bitmapSize(length));
    for (let row = 0; row < length; row++) {
      const known = isValid(own, row);
      if (!known && status.values[row] === STATUS.deleted) continue;
      values[row] = known ? (own.values[row] as bigint) : this.#nextRowId;
      if (!known) this.#nextRowId += counts.values[row] as bigint;
      setBit(validity, row);
    }
    return { layout: 'numbers', length, validity, values };
  }
}

const ROW_ID_FIELDS = [ENTRY_FIELD.status, FILE_FIELD.recordCount, FILE_FIELD.firstRowId] as const;

function hasRowIds({ fields }: StructType): boolean {
  return fields.some(
    ({ id, type }) => id === FILE_FIELD.firstRowId || (id === ENTRY_FIELD.dataFile && hasRowIds(type as StructType)),
  );
}

function isFull(entries: StoredEntries): boolean {
  const { length } = entries;
  return length >= BATCH_ROWS || (length % ROWS_PER_CHECK === 0 && entries.bytes > BATCH_BYTES);
}

type Stored = (id: number) => StoredColumn;

/** Decoded fields by id: those of the entry and of its file. */
function storedColumns({ stored }: EntryPart, columns: readonly Column[]): Stored {
  const { fields } = stored.type;
  const byId = new Map<number, StoredColumn>();
  for (const [i, field] of fields.entries()) {
    const column = columns[i]!;
    byId.set(field.id, { field, column });
    if (field.id !== ENTRY_FIELD.dataFile || column.layout !== 'struct') continue;
    for (const [j, child] of (field.type as StructType).fields.entries()) {
      byId.set(child.id, { field: child, column: column.children[j]! });
    }
  }
  return (id) => byId.get(id)!;
}
