import { getBit } from '../columns/column.ts';
import type { Column, ColumnBatch } from '../columns/column.ts';
import { findColumn } from '../columns/find-column.ts';
import type { ColumnFinder } from '../columns/find-column.ts';
import type { ColumnBounds } from '../formats/parquet/bounds.ts';
import { compareBytes } from '../spec/compare-values.ts';
import { valueToBytes } from '../spec/single-value.ts';
import type { MetricsMode } from '../spec/table-properties.ts';
import type { IcebergType, StructType } from '../spec/types.ts';
import type { MetricsModes } from './metrics-config.ts';

/** What has to be found by looking at the values, because a Parquet footer doesn't tell, or not exactly. */
export interface ValueMetrics {
  /** Null for columns that can't hold any, and where nobody counted. */
  readonly nanCount: number | null;
  /** Null where those of the footer are as good. */
  readonly bounds: ColumnBounds | null;
}

/** Collects the metrics of the rows of one file. */
export class ValueMetricsCollector {
  readonly #columns: readonly ScannedColumn[];

  constructor(schema: StructType, modes: MetricsModes) {
    this.#columns = scannedColumns(schema, schema, modes);
  }

  add(batch: ColumnBatch): void {
    for (const { find, scan } of this.#columns) scan.add(find(batch));
  }

  result(): ReadonlyMap<number, ValueMetrics> {
    return new Map(this.#columns.map(({ id, scan }) => [id, scan.result()]));
  }
}

interface ColumnScan {
  add(column: Column): void;
  result(): ValueMetrics;
}

interface ScannedColumn {
  readonly id: number;
  readonly find: ColumnFinder;
  readonly scan: ColumnScan;
}

/** Lists and maps have no metrics of values, so the way to a column goes through structs only. */
function scannedColumns(schema: StructType, struct: StructType, modes: MetricsModes): readonly ScannedColumn[] {
  return struct.fields.flatMap(({ id, type }): readonly ScannedColumn[] => {
    if (type.kind === 'struct') return scannedColumns(schema, type, modes);
    const scan = scanOf(type, modes.get(id));
    return scan === null ? [] : [{ id, find: findColumn(schema, id)!.find, scan }];
  });
}

/** The encoder cuts long values in the footer's statistics: at so many bytes, which so many characters surely fill. */
const FOOTER_TEXT_LENGTH = 16;
const FOOTER_BYTES_LENGTH = 64;

function scanOf(type: IcebergType, mode: MetricsMode | undefined): ColumnScan | null {
  if (mode === undefined || mode.mode === 'none') return null;
  if (type.kind === 'float' || type.kind === 'double') return new FloatScan(type);
  const kept = type.kind === 'string' ? FOOTER_TEXT_LENGTH : FOOTER_BYTES_LENGTH;
  const longer = mode.mode === 'full' || (mode.mode === 'truncate' && mode.length > kept);
  if (longer && (type.kind === 'string' || type.kind === 'binary')) return new BytesScan();
  return longer && type.kind === 'fixed' && type.length > FOOTER_BYTES_LENGTH ? new BytesScan() : null;
}

/** NaN is counted and left out of the bounds; -0 is less than +0 (spec: "Data File Fields", notes on bounds). */
class FloatScan implements ColumnScan {
  readonly #type: IcebergType;
  #nans = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #found = false;

  constructor(type: IcebergType) {
    this.#type = type;
  }

  add(column: Column): void {
    const { values, length, validity } = column as Extract<Column, { layout: 'numbers' }>;
    for (let row = 0; row < length; row++) {
      if (validity !== null && !getBit(validity, row)) continue;
      const value = values[row] as number;
      if (Number.isNaN(value)) {
        this.#nans++;
        continue;
      }
      this.#found = true;
      if (value < this.#min || (value === 0 && Object.is(value, -0) && this.#min === 0)) this.#min = value;
      if (value > this.#max || (value === 0 && Object.is(this.#max, -0))) this.#max = value;
    }
  }

  result(): ValueMetrics {
    const bound = (value: number): Uint8Array | null => (this.#found ? valueToBytes(this.#type, value) : null);
    return { nanCount: this.#nans, bounds: { lower: bound(this.#min), upper: bound(this.#max) } };
  }
}

class BytesScan implements ColumnScan {
  #min: Uint8Array | null = null;
  #max: Uint8Array | null = null;

  add(column: Column): void {
    const { validity } = column;
    const valueAt = bytesReader(column);
    let [min, max] = [this.#min, this.#max];
    for (let row = 0; row < column.length; row++) {
      if (validity !== null && !getBit(validity, row)) continue;
      const value = valueAt(row);
      if (min === null || compareBytes(value, min) < 0) min = value;
      if (max === null || compareBytes(value, max) > 0) max = value;
    }
    // Copies, so that a batch can be freed.
    this.#min = min && min.slice();
    this.#max = max && max.slice();
  }

  result(): ValueMetrics {
    return { nanCount: null, bounds: { lower: this.#min, upper: this.#max } };
  }
}

function bytesReader(column: Column): (row: number) => Uint8Array {
  if (column.layout === 'fixed') return (row) => column.bytes.subarray(row * column.width, (row + 1) * column.width);
  const { bytes, offsets } = column as Extract<Column, { layout: 'variable' }>;
  return (row) => bytes.subarray(offsets[row], offsets[row + 1]);
}
