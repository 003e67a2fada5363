import { throwIfAborted } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import type {
  DataFileReader,
  DecodedBatch,
  FieldStatistics,
  FileField,
  FileShape,
  OpenFileOptions,
  ReadFileOptions,
  RowGroup,
} from '../data-file.ts';
import { partsOf } from '../data-file.ts';
import { boundsOf } from './bounds.ts';
import { readParquetFooter } from './footer.ts';
import type { ParquetFooter, ParquetRowGroup } from './footer.ts';
import { shapeOf } from './parquet-schema.ts';
import type { ParquetNode } from './parquet-schema.ts';
import { readColumns } from './read-columns.ts';
import { readRange } from '../read-ranges.ts';

/** Opens a Parquet data file of `size` bytes. INVALID_DATA if it is none; UNSUPPORTED if it is encrypted. */
export async function openParquetFile(
  io: FileIO,
  location: string,
  size: number,
  { expected, signal }: OpenFileOptions = {},
): Promise<DataFileReader> {
  const aborts = signal && { signal };
  const source = size <= SMALL_FILE_BYTES ? await fetchedFile(io, location, size, signal) : io;
  const tailSize = expected && { tailSize: expectedTailSize(expected) };
  const footer = await readParquetFooter(source, location, size, { ...tailSize, ...aborts });
  return {
    fields: parquetFields(footer),
    read: (readOptions) => readBatches(source, location, footer, readOptions),
  };
}

/** A file of this size is read at once: another request would take longer than its bytes. */
const SMALL_FILE_BYTES = 64 * 1024;

/** A file in memory, once it was fetched. */
async function fetchedFile(
  io: FileIO,
  location: string,
  size: number,
  signal: AbortSignal | undefined,
): Promise<Pick<FileIO, 'read'>> {
  const bytes = await readRange(io, location, { offset: 0, length: size }, signal);
  return {
    read: (_, { offset = 0, length = size - offset } = {}) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}

/** What writers mostly need at most, in bytes: for names and types of a column, and for its chunk in a row group. */
const FOOTER_BYTES = { fixed: 4096, column: 256, chunk: 192, most: 1024 * 1024 } as const;

function expectedTailSize({ columns, rowGroups }: NonNullable<OpenFileOptions['expected']>): number {
  const { fixed, column, chunk, most } = FOOTER_BYTES;
  return Math.min(most, fixed + columns * (column + rowGroups * chunk));
}

/** The columns of a file whose footer is at hand. */
export function parquetFields({ root }: Pick<ParquetFooter, 'root'>): readonly FileField[] {
  return root.children.map((node) => fileField(node));
}

function fileField(node: ParquetNode): FileField {
  return { index: node.index, name: node.name, fieldId: node.fieldId, shape: fileShape(node) };
}

function fileShape(node: ParquetNode): FileShape {
  const shape = shapeOf(node);
  switch (shape.kind) {
    case 'leaf':
      return shape;
    case 'struct':
      return { kind: 'struct', fields: shape.fields.map((field) => fileField(field)) };
    case 'list':
      return { kind: 'list', element: fileField(shape.element) };
    case 'map':
      return { kind: 'map', key: fileField(shape.key), value: fileField(shape.value) };
  }
}

function readBatches(
  io: Pick<FileIO, 'read'>,
  location: string,
  footer: ParquetFooter,
  options: ReadFileOptions,
): AsyncGenerator<DecodedBatch> {
  const { fields, batchSize, mayMatch, signal } = options;
  const groups = footer.rowGroups.map((_, i) => i);
  const statistics = statisticsOf(footer);
  const rowGroups = mayMatch ? groups.filter((i) => mayMatch(statistics(footer.rowGroups[i]!))) : groups;
  const leaves = new Set<number>();
  for (const node of footer.root.children) if (fields.has(node.index)) addLeaves(node, fields, leaves);
  if (leaves.size === 0) return countedRows(footer, rowGroups, batchSize, signal);
  const ascending = [...leaves].toSorted((a, b) => a - b);
  return readColumns(io, location, footer, { rowGroups, leaves: ascending, batchSize, ...(signal && { signal }) });
}

/** Rows of which nothing is wanted are known by their number alone. */
async function* countedRows(
  footer: ParquetFooter,
  rowGroups: readonly number[],
  batchSize: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<DecodedBatch> {
  for (const i of rowGroups) {
    const { rowCount, firstRow } = footer.rowGroups[i]!;
    for (let start = 0; start < rowCount; start += batchSize) {
      throwIfAborted(signal);
      yield { length: Math.min(batchSize, rowCount - start), firstRow: firstRow + start, fields: [], columns: [] };
    }
  }
}

function addLeaves(node: ParquetNode, wanted: ReadonlySet<number>, leaves: Set<number>): void {
  const shape = shapeOf(node);
  // Old writers' lists without a level of their own: with only some columns left they would be taken for new ones.
  const isWhole = shape.kind === 'leaf' || (shape.kind === 'list' && shape.element.repetition === 'repeated');
  const before = leaves.size;
  if (isWhole) for (let leaf = node.leaves[0]; leaf < node.leaves[1]; leaf++) leaves.add(leaf);
  else for (const child of partsOf(shape)) if (wanted.has(child.index)) addLeaves(child, wanted, leaves);
  // Of a group of which no part is wanted, one leaf still tells which rows are null, and how long lists are.
  if (leaves.size === before && node.leaves[1] > node.leaves[0]) leaves.add(node.leaves[0]);
}

/** A row group's statistics, found by the leaf's place in the schema. */
export function statisticsOf(footer: ParquetFooter): (group: ParquetRowGroup) => RowGroup {
  const leaves = new Map(footer.leaves.map((leaf, i) => [leaf.index, i]));
  return (group) => ({
    rowCount: group.rowCount,
    statistics: (field, type): FieldStatistics | null => {
      const leaf = leaves.get(field.index);
      if (leaf === undefined) return null;
      const { statistics, valueCount } = group.columns[leaf]!;
      if (statistics === null) return null;
      return { valueCount, nullCount: statistics.nullCount, ...boundsOf(footer.leaves[leaf]!, statistics, type) };
    },
  });
}
