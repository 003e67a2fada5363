import type { PlacedChunk } from '@lh/core/engine';

/** Bytes that are fetched with one request, and what of them goes where in a cache file. */
export interface Piece {
  readonly offset: number;
  readonly length: number;
  /** In the order of their places. */
  readonly parts: readonly PiecePart[];
}

interface PiecePart {
  /** Within the piece. */
  readonly start: number;
  readonly length: number;
  /** In the cache file. */
  readonly at: number;
}

/** Larger ones are several requests, side by side. */
const MAX_PIECE_BYTES = 4 * 2 ** 20;
/** Reading so much that isn't wanted takes less time than another request … */
const MAX_GAP_BYTES = 128 * 1024;
/** … but it is never more than this part of what is wanted. */
const MAX_WASTE = 0.1;

/** The requests that fetch the chunks, in the order of their places. */
export function piecesOf(chunks: readonly PlacedChunk[]): readonly Piece[] {
  const pieces: { offset: number; length: number; parts: PiecePart[] }[] = [];
  let [wanted, wasted] = [0, 0];
  for (const { offset, length, at } of chunks.flatMap(split)) {
    wanted += length;
    const last = pieces.at(-1);
    const gap = last ? offset - last.offset - last.length : -1;
    const joins =
      last !== undefined &&
      gap >= 0 &&
      gap <= MAX_GAP_BYTES &&
      wasted + gap <= wanted * MAX_WASTE &&
      offset + length - last.offset <= MAX_PIECE_BYTES;
    if (joins) {
      wasted += gap;
      last.parts.push({ start: last.length + gap, length, at });
      last.length += gap + length;
    } else {
      pieces.push({ offset, length, parts: [{ start: 0, length, at }] });
    }
  }
  return pieces;
}

type Range = Pick<PlacedChunk, 'offset' | 'length' | 'at'>;

function split({ offset, length, at }: Range): readonly Range[] {
  const ranges: Range[] = [];
  for (let done = 0; done < length; done += MAX_PIECE_BYTES) {
    ranges.push({ offset: offset + done, length: Math.min(MAX_PIECE_BYTES, length - done), at: at + done });
  }
  return ranges;
}
