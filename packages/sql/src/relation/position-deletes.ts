import type { Schema } from '@lh/core';
import type { ColumnBatch, PositionBitmap } from '@lh/core/engine';
import { icebergFeed } from '../feed/feeds.ts';
import type { Feed } from '../feed/feeds.ts';
import { FILE_INDEX, FILE_ROW_NUMBER } from './per-file.ts';

/** A row's place is one number: the upper bits are its file's index, these lower ones its position in the file. */
const POSITION_BITS = 40;
const MAX_POSITION = 2 ** POSITION_BITS;

/** The place of a row among all of a `read_parquet`, as SQL. */
export const ROW_PLACE: string = `(${FILE_INDEX} << ${POSITION_BITS}) | ${FILE_ROW_NUMBER}`;

const PLACES: Schema = {
  kind: 'struct',
  schemaId: 0,
  identifierFieldIds: [],
  fields: [{ id: 1, name: 'place', required: true, type: { kind: 'long' } }],
};

/** The places of deleted rows, in a column `place`. `positions` are those of the `read_parquet`'s files, in their order. */
export function placesFeed(positions: readonly PositionBitmap[]): Feed {
  return icebergFeed(
    PLACES,
    positions.map((bitmap, index) => placesBatch(bitmap, index)),
  );
}

function placesBatch(positions: PositionBitmap, fileIndex: number): ColumnBatch {
  const values = new BigInt64Array(positions.size);
  // By halves, which spares a bigint per row.
  const halves = new Uint32Array(values.buffer);
  const upper = fileIndex * 2 ** (POSITION_BITS - 32);
  let length = 0;
  for (const position of positions) {
    // No file has as many rows.
    if (position >= MAX_POSITION) break;
    halves[2 * length] = position;
    halves[2 * length + 1] = upper + Math.floor(position / 2 ** 32);
    length++;
  }
  return { length, columns: [{ layout: 'numbers', length, validity: null, values: values.subarray(0, length) }] };
}
