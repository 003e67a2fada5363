import { POSITION_DELETES, readPositionDeletes } from '../../deletes/position-delete-file.ts';
import { unsupported } from '../../errors.ts';
import { readBlob, readPuffinFooter } from '../../formats/puffin/read-puffin.ts';
import { encodePuffin } from '../../formats/puffin/write-puffin.ts';
import type { NewBlob } from '../../formats/puffin/write-puffin.ts';
import type { FileIO } from '../../io/file-io.ts';
import { MemoryFileIO } from '../../io/memory-file-io.ts';
import { FILE_FIELD } from '../../manifest/manifest-schema.ts';
import { isDeletionVector } from '../../manifest/content-problem.ts';
import { readTaskColumns } from '../../read/read-task.ts';
import type { Runtime } from '../../runtime.ts';
import type { DataFile } from '../../spec/data-file.ts';
import { UNPARTITIONED_SPEC } from '../../spec/partition-spec.ts';
import type { EditedValue, RecordEdits } from '../../formats/avro/edit-records.ts';
import { writePositionDeletes } from '../../write/position-delete-writer.ts';

/** A delete file with other paths in it. */
export interface RelocatedDeletes {
  readonly bytes: Uint8Array;
  /** What its manifest entries say of it from now on, besides where it is. */
  readonly editsOf: (file: DataFile) => RecordEdits;
}

export interface RelocateDeletesOptions {
  readonly io: FileIO;
  readonly runtime: Runtime;
  readonly relocate: (location: string) => string;
  readonly signal: AbortSignal | undefined;
}

/** Position deletes and deletion vectors name the data files that they are about; equality deletes name none. */
export function namesDataFiles({ content }: DataFile): boolean {
  return content === 'position-deletes';
}

export function relocateDeletes(file: DataFile, options: RelocateDeletesOptions): Promise<RelocatedDeletes> {
  return isDeletionVector(file) ? relocateVectors(file, options) : relocatePositions(file, options);
}

/** The blobs of a Puffin file, of which each names its data file. */
async function relocateVectors(
  { path, fileSizeInBytes }: DataFile,
  { io, relocate, signal }: RelocateDeletesOptions,
): Promise<RelocatedDeletes> {
  const aborted = signal ? { signal } : {};
  const { blobs, properties } = await readPuffinFooter(io, path, fileSizeInBytes, aborted);
  const moved = await Promise.all(
    blobs.map(async ({ offset: _offset, length: _length, compressionCodec, ...blob }, i): Promise<NewBlob> => {
      if (compressionCodec !== null) throw unsupported(`${path} has compressed blobs, which can't be moved.`, { path });
      const referenced = blob.properties[REFERENCED_DATA_FILE];
      return {
        ...blob,
        properties: {
          ...blob.properties,
          ...(referenced !== undefined && { [REFERENCED_DATA_FILE]: relocate(referenced) }),
        },
        content: await readBlob(io, path, blobs[i]!, aborted),
      };
    }),
  );
  const { bytes, footer } = encodePuffin(moved, properties);
  const offsets = new Map(blobs.map(({ offset }, i) => [offset, footer.blobs[i]!.offset]));
  return {
    bytes,
    editsOf: ({ contentOffset, referencedDataFile }) =>
      new Map<number, EditedValue>([
        [FILE_FIELD.fileSizeInBytes, bytes.length],
        [FILE_FIELD.contentOffset, offsets.get(contentOffset!)!],
        [FILE_FIELD.referencedDataFile, relocate(referencedDataFile!)],
      ]),
  };
}

/** Of a blob's properties (Puffin spec: `deletion-vector-v1`). */
const REFERENCED_DATA_FILE = 'referenced-data-file';

async function relocatePositions(
  file: DataFile,
  { io, runtime, relocate, signal }: RelocateDeletesOptions,
): Promise<RelocatedDeletes> {
  const { path } = file;
  if (file.format !== 'parquet') {
    throw unsupported(`The position deletes ${path} can't be moved: only those in Parquet files can be written.`, {
      path,
    });
  }
  const aborted = signal ? { signal } : {};
  const positions = await readPositionDeletes(io, readTaskColumns, { file, sequenceNumber: 0n }, aborted);
  const memory = new MemoryFileIO();
  const deleted = [...positions].map(([dataFile, bitmap]) => ({
    dataFile: { path: relocate(dataFile), specId: UNPARTITIONED_SPEC.specId, partition: [] },
    positions: bitmap,
  }));
  const [written] = await writePositionDeletes(deleted, {
    io: memory,
    specs: [UNPARTITIONED_SPEC],
    schema: POSITION_DELETES,
    properties: ONE_FILE,
    locationFor: () => path,
    runtime,
    ...aborted,
  });
  const { lowerBounds, upperBounds } = written!;
  return {
    bytes: await memory.read(path),
    editsOf: ({ referencedDataFile }) =>
      new Map<number, EditedValue>([
        [FILE_FIELD.fileSizeInBytes, written!.fileSizeInBytes],
        [FILE_FIELD.lowerBounds, lowerBounds],
        [FILE_FIELD.upperBounds, upperBounds],
        [FILE_FIELD.splitOffsets, null],
        [FILE_FIELD.referencedDataFile, referencedDataFile === null ? null : relocate(referencedDataFile)],
      ]),
  };
}

/** However many data files the deletes are about. */
const ONE_FILE = {
  'write.delete.granularity': 'partition',
  'write.delete.target-file-size-bytes': String(Number.MAX_SAFE_INTEGER),
};
