/**
 * Where a place in a text that was made of pieces of another is in that other one: found by the longest piece around it,
 * which must be there once. Null if the place is in none, or that can't be told.
 */
export function placeInOrigin(text: string, offset: number, origin: string): number | null {
  let [start, end] = [offset, offset];
  const isPiece = (from: number, to: number): boolean => origin.includes(text.slice(from, to));
  while (end < text.length && isPiece(start, end + 1)) end++;
  while (start > 0 && isPiece(start - 1, end)) start--;
  if (start === end) return null;
  const piece = text.slice(start, end);
  const at = origin.indexOf(piece);
  return origin.includes(piece, at + 1) ? null : at + (offset - start);
}
