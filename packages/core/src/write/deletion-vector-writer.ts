import { DELETION_VECTOR, encodeDeletionVector } from '../formats/puffin/deletion-vector.ts';
import { encodePuffin } from '../formats/puffin/write-puffin.ts';
import type { NewBlob } from '../formats/puffin/write-puffin.ts';
import { METADATA_COLUMNS } from '../read/metadata-columns.ts';
import { randomUuid } from '../runtime.ts';
import { NO_METRICS } from '../spec/data-file.ts';
import type { DataFile } from '../spec/data-file.ts';
import { deleteFileName } from './delete-file.ts';
import type { DeleteFileOptions, DeletedPositions } from './delete-file.ts';

/** A Puffin file is laid out in memory: no more than about so many bytes go into one. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

/**
 * Writes deletion vectors (spec: "Deletion Vectors"): one for each data file, many in a Puffin file. If it fails, files
 * may be left behind, at locations that `locationFor` gave.
 */
export async function writeDeletionVectors(
  deleted: readonly DeletedPositions[],
  options: Pick<DeleteFileOptions, 'io' | 'locationFor' | 'runtime' | 'signal'>,
): Promise<readonly DataFile[]> {
  const { io, locationFor, runtime, signal } = options;
  const operationId = randomUuid(runtime);
  const files: DataFile[] = [];
  for (const [number, vectors] of [...inFiles(deleted)].entries()) {
    const name = `00000-0-${operationId}-${String(number + 1).padStart(5, '0')}.puffin`;
    // Vectors of many partitions share a file, so it lies in none.
    const location = locationFor(deleteFileName(name, 'puffin'), '');
    const blobs = vectors.map(({ blob }) => blob);
    const { bytes, footer } = encodePuffin(blobs);
    await io.write(location, bytes, signal ? { signal } : {});
    vectors.forEach((vector, i) => files.push(vectorFile(vector, location, bytes.length, footer.blobs[i]!)));
  }
  return files;
}

interface Vector {
  readonly deleted: DeletedPositions;
  readonly blob: NewBlob;
}

function* inFiles(deleted: readonly DeletedPositions[]): Generator<readonly Vector[]> {
  let vectors: Vector[] = [];
  let size = 0;
  for (const one of deleted) {
    const blob = blobOf(one);
    vectors.push({ deleted: one, blob });
    size += blob.content.length;
    if (size < MAX_FILE_BYTES) continue;
    yield vectors;
    [vectors, size] = [[], 0];
  }
  if (vectors.length > 0) yield vectors;
}

/** The commit's snapshot and sequence number aren't known yet (Puffin spec: "deletion-vector-v1 blob type"). */
const UNKNOWN = -1n;

function blobOf({ dataFile, positions }: DeletedPositions): NewBlob {
  return {
    type: DELETION_VECTOR,
    fields: [METADATA_COLUMNS._pos.id],
    snapshotId: UNKNOWN,
    sequenceNumber: UNKNOWN,
    properties: { 'referenced-data-file': dataFile.path, cardinality: String(positions.size) },
    content: encodeDeletionVector(positions),
  };
}

function vectorFile(
  { deleted: { dataFile, positions } }: Vector,
  path: string,
  fileSizeInBytes: number,
  { offset, length }: { readonly offset: number; readonly length: number },
): DataFile {
  return {
    content: 'position-deletes',
    path,
    format: 'puffin',
    specId: dataFile.specId,
    partition: dataFile.partition,
    recordCount: positions.size,
    fileSizeInBytes,
    ...NO_METRICS,
    keyMetadata: null,
    splitOffsets: null,
    equalityIds: null,
    sortOrderId: null,
    firstRowId: null,
    referencedDataFile: dataFile.path,
    contentOffset: offset,
    contentSizeInBytes: length,
  };
}
