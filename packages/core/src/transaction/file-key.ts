import type { DataFile } from '../spec/data-file.ts';

/** What tells a file of a table from all others: its location, and its place in the file for deletion vectors. */
export function fileKey({ path, contentOffset }: DataFile): string {
  return contentOffset === null ? path : `${path}#${contentOffset}`;
}
