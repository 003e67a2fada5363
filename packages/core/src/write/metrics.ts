import { boundsOf } from '../formats/parquet/bounds.ts';
import type { ColumnBounds } from '../formats/parquet/bounds.ts';
import type { ParquetFooter, ParquetRowGroup } from '../formats/parquet/footer.ts';
import { compareBytes, compareValues } from '../spec/compare-values.ts';
import type { DataFile } from '../spec/data-file.ts';
import { childFields, indexById } from '../spec/schema-fields.ts';
import { bytesToValue } from '../spec/single-value.ts';
import type { MetricsMode } from '../spec/table-properties.ts';
import { isPrimitive } from '../spec/types.ts';
import type { PrimitiveType, StructType } from '../spec/types.ts';
import type { MetricsModes } from './metrics-config.ts';
import { truncateBytesLower, truncateBytesUpper, truncateTextLower, truncateTextUpper } from './truncate-bounds.ts';
import type { ValueMetrics } from './value-metrics.ts';

export type FileMetrics = Pick<
  DataFile,
  'columnSizes' | 'valueCounts' | 'nullValueCounts' | 'nanValueCounts' | 'lowerBounds' | 'upperBounds'
>;

/**
 * A file's metrics for its manifest entry, from its own statistics and what was collected of its values. As in Iceberg
 * Java, leaves inside lists and maps have a size and nothing else.
 */
export function fileMetrics(
  schema: StructType,
  footer: Pick<ParquetFooter, 'root' | 'leaves'>,
  rowGroups: readonly ParquetRowGroup[],
  modes: MetricsModes,
  values: ReadonlyMap<number, ValueMetrics>,
): FileMetrics {
  const columnSizes = new Map<number, number>();
  const valueCounts = new Map<number, number>();
  const nullValueCounts = new Map<number, number>();
  const nanValueCounts = new Map<number, number>();
  const lowerBounds = new Map<number, Uint8Array>();
  const upperBounds = new Map<number, Uint8Array>();
  const plain = unrepeatedLeaves(schema);
  for (const column of storedColumns(schema, footer)) {
    const { id, type, leaves } = column;
    const mode = modes.get(id);
    if (mode === undefined || mode.mode === 'none') continue;
    const chunks = rowGroups.flatMap((group) => leaves.map((leaf) => group.columns[leaf]!));
    columnSizes.set(id, sum(chunks.map((chunk) => chunk.compressedSize)));
    if (!plain.has(id)) continue;
    // A variant's first leaf has one value per row, as every other column's only one.
    const first = rowGroups.map((group) => group.columns[leaves[0]!]!);
    valueCounts.set(id, sum(first.map((chunk) => chunk.valueCount)));
    const nulls = first.map((chunk) => chunk.statistics?.nullCount ?? null);
    if (!nulls.includes(null)) nullValueCounts.set(id, sum(nulls as number[]));
    const scanned = values.get(id);
    if (scanned && scanned.nanCount !== null) nanValueCounts.set(id, scanned.nanCount);
    if (mode.mode === 'counts') continue;
    const { lower, upper } = truncated(type, scanned?.bounds ?? mergedBounds(type, footer, first, leaves[0]!), mode);
    if (lower !== null) lowerBounds.set(id, lower);
    if (upper !== null) upperBounds.set(id, upper);
  }
  return { columnSizes, valueCounts, nullValueCounts, nanValueCounts, lowerBounds, upperBounds };
}

interface StoredColumn {
  readonly id: number;
  readonly type: PrimitiveType;
  readonly leaves: readonly number[];
}

function storedColumns(schema: StructType, footer: Pick<ParquetFooter, 'root'>): readonly StoredColumn[] {
  const columns: StoredColumn[] = [];
  const visit = (node: ParquetFooter['root']): void => {
    const field = node.fieldId === null ? undefined : indexById(schema).get(node.fieldId)?.field;
    if (field && isPrimitive(field.type)) {
      const [first, end] = node.leaves;
      columns.push({
        id: field.id,
        type: field.type,
        leaves: Array.from({ length: end - first }, (_, i) => first + i),
      });
    } else node.children.forEach(visit);
  };
  visit(footer.root);
  return columns;
}

function unrepeatedLeaves(struct: StructType): ReadonlySet<number> {
  const ids = new Set<number>();
  const visit = (type: StructType): void => {
    for (const field of childFields(type)) {
      if (field.type.kind === 'struct') visit(field.type);
      else if (isPrimitive(field.type)) ids.add(field.id);
    }
  };
  visit(struct);
  return ids;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

const UNKNOWN: ColumnBounds = { lower: null, upper: null };

/** The bounds of all row groups, unknown if one has values and no bounds. */
function mergedBounds(
  type: PrimitiveType,
  footer: Pick<ParquetFooter, 'leaves'>,
  chunks: readonly ParquetRowGroup['columns'][number][],
  leaf: number,
): ColumnBounds {
  const compare = boundComparator(type);
  if (compare === null) return UNKNOWN;
  let merged = UNKNOWN;
  for (const { statistics, valueCount } of chunks) {
    if (statistics !== null && statistics.nullCount === valueCount) continue;
    const { lower, upper } = statistics === null ? UNKNOWN : boundsOf(footer.leaves[leaf]!, statistics, type);
    if (lower === null || upper === null) return UNKNOWN;
    merged = {
      lower: merged.lower === null || compare(lower, merged.lower) < 0 ? lower : merged.lower,
      upper: merged.upper === null || compare(upper, merged.upper) > 0 ? upper : merged.upper,
    };
  }
  return merged;
}

function boundComparator(type: PrimitiveType): ((a: Uint8Array, b: Uint8Array) => number) | null {
  switch (type.kind) {
    case 'string':
    case 'binary':
    case 'fixed':
    case 'uuid':
      // All of them are ordered as their bytes are.
      return compareBytes;
    // Bounds of geometries are points in a form of their own, and of variants objects; neither is collected.
    case 'geometry':
    case 'geography':
    case 'variant':
    case 'unknown':
      return null;
    default: {
      const compare = compareValues(type);
      return (a, b) => compare(bytesToValue(type, a), bytesToValue(type, b));
    }
  }
}

function truncated(type: PrimitiveType, { lower, upper }: ColumnBounds, mode: MetricsMode): ColumnBounds {
  if (mode.mode !== 'truncate' || lower === null || upper === null) return { lower, upper };
  if (type.kind === 'string') {
    return { lower: truncateTextLower(lower, mode.length), upper: truncateTextUpper(upper, mode.length) };
  }
  if (type.kind === 'binary') {
    return { lower: truncateBytesLower(lower, mode.length), upper: truncateBytesUpper(upper, mode.length) };
  }
  return { lower, upper };
}
