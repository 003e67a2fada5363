import { constantColumn } from '../columns/constant.ts';
import { getBit } from '../columns/column.ts';
import type { Column, ColumnBatch } from '../columns/column.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import type { NestedField, StructType } from '../spec/types.ts';
import type { FileFields } from './file-fields.ts';
import { METADATA_COLUMNS } from './metadata-columns.ts';
import type { MetadataColumn } from './metadata-columns.ts';

/** One metadata column's values for rows of a file, from position `firstRow` on. `stored` is what the file itself has. */
type MetadataValues = (task: FileScanTask, firstRow: number, length: number, stored: Column | null) => Column;

const VALUES: Readonly<Record<MetadataColumn, MetadataValues>> = {
  _file: (task, _, length) => constantColumn({ kind: 'string' }, task.file.path, length),
  _pos: (_, firstRow, length) => countFrom(BigInt(firstRow), length),
  _spec_id: (task, _, length) => constantColumn({ kind: 'int' }, task.spec.specId, length),
  // Both are inherited where the file has no value, and null in files that rows of no id are from (spec: "Row Lineage").
  _row_id: (task, firstRow, length, stored) => {
    const { firstRowId } = task.file;
    if (firstRowId === null) return constantColumn({ kind: 'long' }, null, length);
    return filled(stored, countFrom(firstRowId + BigInt(firstRow), length));
  },
  _last_updated_sequence_number: (task, _, length, stored) => {
    if (task.file.firstRowId === null) return constantColumn({ kind: 'long' }, null, length);
    return filled(stored, constantColumn({ kind: 'long' }, task.sequenceNumber, length));
  },
};

/** By halves, which spares a bigint per row. */
function countFrom(first: bigint, length: number): Column {
  const values = new BigInt64Array(length);
  const halves = new Int32Array(values.buffer);
  let low = Number(BigInt.asUintN(32, first));
  let high = Number(first >> 32n);
  for (let i = 0; i < length; i++) {
    halves[2 * i] = low;
    halves[2 * i + 1] = high;
    if (++low < 2 ** 32) continue;
    low = 0;
    high++;
  }
  return { layout: 'numbers', length, validity: null, values };
}

/** The stored values where there are some, the others elsewhere. Both are columns of longs. */
function filled(stored: Column | null, others: Column): Column {
  if (stored === null || stored.layout !== 'numbers' || others.layout !== 'numbers') return others;
  if (stored.validity === null) return stored;
  const values = others.values.slice() as BigInt64Array;
  for (let i = 0; i < values.length; i++) if (getBit(stored.validity, i)) values[i] = stored.values[i] as bigint;
  return { layout: 'numbers', length: others.length, validity: null, values };
}

export interface MetadataReader {
  /** The metadata columns that the file stores, to be read with its other columns. */
  readonly stored: StructType;
  /** `batch` has the columns of `schema`, which include the stored ones. Row 0 is at position `firstRow` of the file. */
  readonly columns: (batch: ColumnBatch, schema: StructType, firstRow: number) => readonly Column[];
}

export function metadataReader(
  task: FileScanTask,
  names: readonly MetadataColumn[],
  fields: FileFields,
): MetadataReader {
  const storedFields: NestedField[] = names
    .map((name) => METADATA_COLUMNS[name])
    .filter((field) => fields.has(field.id));
  return {
    stored: { kind: 'struct', fields: storedFields },
    columns: (batch, schema, firstRow) =>
      names.map((name) => {
        const i = schema.fields.findIndex((field) => field.id === METADATA_COLUMNS[name].id);
        return VALUES[name](task, firstRow, batch.length, i < 0 ? null : batch.columns[i]!);
      }),
  };
}
