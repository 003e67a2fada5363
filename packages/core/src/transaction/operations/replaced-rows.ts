import { concatBatches } from '../../columns/concat.ts';
import type { ColumnBatch, NumbersColumn } from '../../columns/column.ts';
import { markDifferences } from '../../columns/differences.ts';
import { takeBatch, takeRows } from '../../columns/take.ts';
import type { BoundExpression } from '../../expr/bound-expression.ts';
import { PositionBitmap } from '../../formats/puffin/position-bitmap.ts';
import type { MetadataColumn } from '../../read/metadata-columns.ts';
import type { NestedField, StructType, TypeKind } from '../../spec/types.ts';
import { positionsOf, rowsOfPositions } from './file-matches.ts';
import type { FileReader } from './file-matches.ts';
import type { ChangedFile, FilePairs, PreparedMerge } from './merge-files.ts';
import { changedLineage, lineageColumns } from './row-lineage.ts';
import type { TableView } from './table-view.ts';

/**
 * Finds out which rows of a file differ from the rows that are to replace them: all that has to be known of them where
 * they aren't written anew. One column that is small and likely to differ is read first. The others, which are most of
 * the file, are read if there are rows that it does not tell apart. Null if no row differs.
 */
export async function replaceRows(
  pairs: FilePairs,
  { clauses, source, fields: keys }: PreparedMerge,
  range: BoundExpression,
  view: TableView,
  reader: FileReader,
): Promise<ChangedFile | null> {
  const { task } = pairs;
  const replacements = clauses.replacements(takeBatch(source.rows, Int32Array.from(pairs.sourceRows)));
  const lineage = lineageColumns(view.metadata);
  const flags = new Uint8Array(replacements.length);
  const lineages: ColumnBatch[] = [];
  const compare = async (fields: readonly NestedField[], others: readonly MetadataColumn[]): Promise<void> => {
    const projection: StructType = { kind: 'struct', fields };
    const options = { metadataColumns: [...others, '_pos' as const], wholeRowGroups: true };
    let next = 0;
    for await (const { length, columns } of reader.read({ ...task, residual: range }, projection, options)) {
      const places = positionsOf(columns.at(-1) as NumbersColumn);
      const first = next;
      while (next < pairs.positions.length && pairs.positions[next]! <= places.at(-1)!) next++;
      if (next === first) continue;
      const rows = rowsOfPositions(pairs.positions.slice(first, next), places);
      const counterparts = Int32Array.from(rows, (_, i) => first + i);
      for (const [i, field] of fields.entries()) {
        const replacement = replacements.columns[view.schema.fields.indexOf(field)]!;
        markDifferences(takeRows(columns[i]!, rows), takeRows(replacement, counterparts), flags.subarray(first, next));
      }
      if (others.length > 0) lineages.push(takeBatch({ length, columns: columns.slice(fields.length, -1) }, rows));
    }
  };
  const [first, rest] = inTurn(view.schema, keys);
  if (first.length === 0) return null;
  await compare(first, lineage);
  if (rest.length > 0 && flags.includes(0)) await compare(rest, []);

  const different = Int32Array.from(flags.keys()).filter((row) => flags[row] === 1);
  if (different.length === 0) return null;
  const positions = new PositionBitmap();
  for (const row of different) positions.add(pairs.positions[row]!);
  const { length, columns } = takeBatch(replacements, different);
  const old = lineage.length === 0 ? [] : takeBatch(concatBatches(lineages), different).columns;
  return { task, positions, updates: [{ length, columns: [...columns, ...changedLineage(old, length)] }], kept: null };
}

/** Types of few bytes a value, those first that are of what a writer changes with each version of a row. */
const SMALL: readonly TypeKind[] = [
  'timestamptz',
  'timestamp',
  'timestamptz_ns',
  'timestamp_ns',
  'long',
  'int',
  'double',
  'float',
  'date',
  'time',
];

/** The columns to compare, in two steps. Keys are the same anyway, unless they are in structs. */
function inTurn(
  { fields }: StructType,
  keys: readonly NestedField[],
): readonly [first: readonly NestedField[], rest: readonly NestedField[]] {
  const others = fields.filter(({ id }) => !keys.some((key) => key.id === id));
  const rank = (field: NestedField): number => SMALL.indexOf(field.type.kind);
  const [small] = others.filter((field) => rank(field) >= 0).toSorted((a, b) => rank(a) - rank(b));
  return small === undefined ? [others, []] : [[small], others.filter((field) => field !== small)];
}
