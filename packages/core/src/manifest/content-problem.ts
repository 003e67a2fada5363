import type { DataFile } from '../spec/data-file.ts';
import type { ManifestContent } from '../spec/manifest.ts';

/**
 * What is wrong with a file as an entry of a manifest of the content, to be said after its path; null if nothing is.
 * Checked when a manifest is written and again when it is read (spec: "Data File Fields", "Deletion Vectors").
 */
export function contentProblem(file: DataFile, manifest: ManifestContent): string | null {
  switch (file.content) {
    case 'data':
      return manifest === 'data' ? null : 'is a data file in a manifest of deletes';
    case 'equality-deletes':
      if (manifest === 'data') return 'is a delete file in a manifest of data files';
      return file.equalityIds && file.equalityIds.length > 0 ? null : 'is an equality delete without equality ids';
    case 'position-deletes':
      if (manifest === 'data') return 'is a delete file in a manifest of data files';
      return isDeletionVector(file) ? vectorProblem(file) : null;
  }
}

/** Deletion vectors are the delete files in Puffin format. */
export function isDeletionVector(file: Pick<DataFile, 'content' | 'format'>): boolean {
  return file.content === 'position-deletes' && file.format === 'puffin';
}

function vectorProblem({ referencedDataFile, contentOffset, contentSizeInBytes }: DataFile): string | null {
  if (referencedDataFile === null) return 'is a deletion vector that names no data file';
  return contentOffset === null || contentSizeInBytes === null ? 'is a deletion vector without offset and size' : null;
}
