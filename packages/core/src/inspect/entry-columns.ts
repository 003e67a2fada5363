import { constantColumn, nullColumn } from '../columns/constant.ts';
import { bitmapSize, isValid, setBit } from '../columns/column.ts';
import type { Column, ListColumn, NumbersColumn, VariableColumn } from '../columns/column.ts';
import { invalidData } from '../errors.ts';
import { STATUS } from '../manifest/entry-decoder.ts';
import { ENTRY_FIELD, FILE_FIELD } from '../manifest/manifest-schema.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import { selectFields } from '../spec/select-fields.ts';
import type { NestedField, StructType } from '../spec/types.ts';
import { SPEC_ID } from './file-tables-schema.ts';
import type { FileTables } from './file-tables-schema.ts';
import { projectColumn } from './project-columns.ts';
import { readableMetricsColumn, wantedMetrics } from './readable-metrics.ts';
import type { WantedMetrics } from './readable-metrics.ts';
import type { StoredPart } from './stored-entries.ts';

/** Decoded entries of one manifest. */
export interface EntryColumns {
  readonly length: number;
  readonly manifest: ManifestFile;
  /** The manifest's own format version. */
  readonly version: number;
  /** A stored field that was decoded, as type and column. */
  readonly stored: (id: number) => StoredColumn;
  /** With those that are inherited; null if no file of the manifest has any. */
  readonly firstRowIds: Column | null;
}

export interface StoredColumn {
  readonly field: NestedField;
  readonly column: Column;
}

/** How a column of the metadata tables comes from what manifests store. */
interface Derivation {
  /** Ids of the stored fields that it takes. */
  readonly needs: readonly number[];
  readonly column: (entries: EntryColumns, field: NestedField) => Column;
}

/** Some columns of the schema of `files` or `entries`, and what has to be decoded for them. */
export interface EntryPart {
  readonly wanted: StructType;
  readonly stored: StoredPart;
  /** The wanted `readable_metrics`, null if they aren't. */
  readonly metrics: WantedMetrics | null;
}

/** `others`: ids of stored fields that are to be decoded besides. */
export function entryPart(wanted: StructType, tables: FileTables, others: readonly number[]): EntryPart {
  const ids = new Set(others);
  const add = (fields: readonly NestedField[]): void => {
    for (const { id, type } of fields) {
      if (id === ENTRY_FIELD.dataFile || id === FILE_FIELD.partition) add((type as StructType).fields);
      else for (const needed of DERIVED[id]?.needs ?? [id]) ids.add(needed);
    }
  };
  const isMetrics = ({ id }: NestedField): boolean => id === tables.metrics.field.id;
  add(wanted.fields.filter((field) => !isMetrics(field)));
  const metricsField = wanted.fields.find(isMetrics);
  const metrics = metricsField ? wantedMetrics(tables.metrics, metricsField.type as StructType) : null;
  const columns = new Map<number, ReadonlySet<number>>();
  for (const group of metrics?.groups ?? []) {
    // Where the map itself is wanted, all of its columns are.
    if (!ids.has(group.storedIn)) columns.set(group.storedIn, new Set(group.metrics.map(({ columnId }) => columnId)));
  }
  const type = selectFields(tables.stored, new Set([...ids, ...columns.keys()]));
  return { wanted, stored: { type, columns }, metrics };
}

/** The wanted columns from the stored ones. */
export function entryColumns({ wanted, metrics }: EntryPart, entries: EntryColumns): readonly Column[] {
  const columnOf = (field: NestedField): Column => {
    const { id, type } = field;
    const { length } = entries;
    if (id === ENTRY_FIELD.dataFile) {
      const children = (type as StructType).fields.map(columnOf);
      return { layout: 'struct', length, validity: null, children };
    }
    if (type === metrics?.type)
      return readableMetricsColumn(metrics, length, (stored) => entries.stored(stored).column);
    return (DERIVED[id]?.column ?? asStored)(entries, field);
  };
  return wanted.fields.map(columnOf);
}

function asStored(entries: EntryColumns, { id, type }: NestedField): Column {
  const { field, column } = entries.stored(id);
  return projectColumn(column, field.type, type);
}

/** What isn't in the tables as it is in manifests. */
const DERIVED: Readonly<Record<number, Derivation>> = {
  [ENTRY_FIELD.status]: {
    needs: [ENTRY_FIELD.status],
    column: (entries) => checkedCodes(entries, ENTRY_FIELD.status),
  },
  // Spec: "Sequence Number Inheritance", "Snapshot ID Inheritance".
  [ENTRY_FIELD.snapshotId]: {
    needs: [ENTRY_FIELD.snapshotId],
    column: (entries) => inherited(entries, ENTRY_FIELD.snapshotId, entries.manifest.addedSnapshotId, () => true),
  },
  [ENTRY_FIELD.sequenceNumber]: {
    needs: [ENTRY_FIELD.status, ENTRY_FIELD.sequenceNumber],
    column: (entries) => sequenceNumbers(entries, ENTRY_FIELD.sequenceNumber),
  },
  [ENTRY_FIELD.fileSequenceNumber]: {
    needs: [ENTRY_FIELD.status, ENTRY_FIELD.fileSequenceNumber],
    column: (entries) => sequenceNumbers(entries, ENTRY_FIELD.fileSequenceNumber),
  },
  [FILE_FIELD.content]: {
    needs: [FILE_FIELD.content],
    // v1 manifests don't tell, as they can only have data files: of code 0, which is what a null's place holds.
    column: (entries) => ({ ...checkedCodes(entries, FILE_FIELD.content), validity: null }),
  },
  [FILE_FIELD.fileFormat]: {
    needs: [FILE_FIELD.fileFormat],
    column: (entries) => upperCase(entries.stored(FILE_FIELD.fileFormat).column as VariableColumn),
  },
  [SPEC_ID]: {
    needs: [],
    column: ({ manifest, length }, { type }) => constantColumn(type, manifest.partitionSpecId, length),
  },
  [FILE_FIELD.splitOffsets]: {
    needs: [FILE_FIELD.splitOffsets, FILE_FIELD.fileSizeInBytes],
    column: (entries) =>
      splitOffsetsWithin(
        entries.stored(FILE_FIELD.splitOffsets).column as ListColumn,
        entries.stored(FILE_FIELD.fileSizeInBytes).column as NumbersColumn,
      ),
  },
  [FILE_FIELD.firstRowId]: {
    needs: [],
    column: ({ firstRowIds, length }, { type }) => firstRowIds ?? nullColumn(type, length),
  },
};

/** Codes of `status` and `content` reach from 0 to 2 (spec: "Manifest Entry Fields", "Data File Fields"). */
function checkedCodes({ stored, manifest }: EntryColumns, id: number): NumbersColumn {
  const { field, column } = stored(id);
  const codes = column as NumbersColumn;
  const values = codes.values as Int32Array;
  for (let row = 0; row < codes.length; row++) {
    if (values[row]! >= 0 && values[row]! <= 2) continue;
    throw invalidData(`The manifest ${manifest.path} is damaged: an entry has the ${field.name} ${values[row]}.`, {
      path: manifest.path,
    });
  }
  return codes;
}

/** All numbers of v1 are 0; those that are null are inherited by new entries only. */
function sequenceNumbers(entries: EntryColumns, id: number): Column {
  const { manifest, version, length } = entries;
  const { type } = entries.stored(id).field;
  if (version === 1) return constantColumn(type, 0n, length);
  const status = checkedCodes(entries, ENTRY_FIELD.status).values;
  return inherited(
    entries,
    id,
    manifest.sequenceNumber,
    (row) => manifest.sequenceNumber === 0n || status[row] === STATUS.added,
  );
}

/** The stored longs, with another in place of nulls where it may be inherited. */
function inherited({ stored }: EntryColumns, id: number, value: bigint, mayInherit: (row: number) => boolean): Column {
  const column = stored(id).column as NumbersColumn;
  if (column.validity === null) return column;
  const { length } = column;
  const values = column.values.slice() as BigInt64Array;
  const validity = new Uint8Array(bitmapSize(length));
  for (let row = 0; row < length; row++) {
    const known = isValid(column, row);
    if (!known && !mayInherit(row)) continue;
    if (!known) values[row] = value;
    setBit(validity, row);
  }
  return { layout: 'numbers', length, validity, values };
}

const LOWER_A = 0x61;
const LOWER_Z = 0x7a;
const TO_UPPER = 0x20;

/** Names of formats, whichever way they were written, as Spark shows them: `PARQUET`. */
function upperCase(text: VariableColumn): Column {
  const bytes = text.bytes.map((byte) => (byte >= LOWER_A && byte <= LOWER_Z ? byte - TO_UPPER : byte));
  return { ...text, bytes };
}

/** Offsets past the end of the file are known to come from a broken writer, and an empty list says nothing: both are null. */
function splitOffsetsWithin(offsets: ListColumn, fileSizes: NumbersColumn): Column {
  const { length, items } = offsets;
  const positions = (items as NumbersColumn).values;
  const validity = new Uint8Array(bitmapSize(length));
  for (let row = 0; row < length; row++) {
    const end = offsets.offsets[row + 1]!;
    if (end > offsets.offsets[row]! && positions[end - 1]! < fileSizes.values[row]!) setBit(validity, row);
  }
  return { ...offsets, validity };
}
