import type { ColumnBatch, NumbersColumn } from '../../columns/column.ts';
import { takeBatch } from '../../columns/take.ts';
import type { PositionBitmap } from '../../formats/puffin/position-bitmap.ts';
import type { MetadataColumn } from '../../read/metadata-columns.ts';
import { positionsOf } from './file-matches.ts';
import type { FileMatches, FileReader } from './file-matches.ts';
import type { TableView } from './table-view.ts';

/** Rows of a file that is written anew: of the table's columns and the lineage. */
export interface RewrittenRows {
  readonly batch: ColumnBatch;
  /** Which rows of the batch are to be changed, in order. */
  readonly touched: Int32Array;
}

/** Reads all rows of a file that are not deleted, and tells those to be changed from the others. */
export async function* readRewritten(
  { task, positions }: FileMatches,
  lineage: readonly MetadataColumn[],
  { schema }: TableView,
  reader: FileReader,
): AsyncGenerator<RewrittenRows> {
  const options = { metadataColumns: [...lineage, '_pos' as const] };
  for await (const { length, columns } of reader.read({ ...task, residual: { op: 'true' } }, schema, options)) {
    const batch = { length, columns: columns.slice(0, -1) };
    yield { batch, touched: positions === null ? allRows(length) : rowsAt(positions, columns.at(-1) as NumbersColumn) };
  }
}

/** The rows whose positions are in the set; `column`: ascending positions. */
export function rowsAt(positions: PositionBitmap, column: NumbersColumn): Int32Array {
  const places = positionsOf(column);
  const first = places[0] ?? 0;
  const flags = new Uint8Array(places.length === 0 ? 0 : places.at(-1)! - first + 1);
  if (!positions.mark(first, flags)) return new Int32Array(0);
  const rows = new Int32Array(places.length);
  let count = 0;
  for (let row = 0; row < places.length; row++) if (flags[places[row]! - first] === 1) rows[count++] = row;
  return rows.subarray(0, count);
}

/** The rows that are not to be changed; null if there are none. */
export function untouched({ batch, touched }: RewrittenRows): ColumnBatch | null {
  if (touched.length === 0) return batch;
  if (touched.length === batch.length) return null;
  return takeBatch(batch, otherRows(touched, batch.length));
}

function otherRows(rows: Int32Array, length: number): Int32Array {
  const others = new Int32Array(length - rows.length);
  let next = 0;
  let count = 0;
  for (let row = 0; row < length; row++) {
    if (rows[next] === row) next++;
    else others[count++] = row;
  }
  return others;
}

function allRows(length: number): Int32Array {
  return Int32Array.from({ length }, (_, row) => row);
}
