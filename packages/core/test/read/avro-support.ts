import type { AvroCodec } from '../../src/formats/avro/codecs.ts';
import { AvroContainerWriter } from '../../src/formats/avro/container.ts';
import { valueEncoder } from '../../src/formats/avro/encode-values.ts';
import { toAvroSchema } from '../../src/formats/avro/iceberg-schema.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import type { FileScanTask } from '../../src/scan/file-scan-task.ts';
import type { DataFile, FileFormat } from '../../src/spec/data-file.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { StructType } from '../../src/spec/types.ts';
import { taskOf } from '../write/support.ts';
import type { Row } from '../write/support.ts';

export const LOCATION = 'memory:/data/file';

export interface Task {
  readonly io: MemoryFileIO;
  readonly task: FileScanTask;
}

/** A scan of one file that is given by its bytes. */
export async function taskOfBytes(bytes: Uint8Array, format: FileFormat, shape: Schema): Promise<Task> {
  const io = new MemoryFileIO();
  await io.write(LOCATION, bytes);
  const file: Partial<DataFile> = {
    path: LOCATION,
    format,
    fileSizeInBytes: bytes.length,
    keyMetadata: null,
    partition: [],
    firstRowId: null,
  };
  return { io, task: taskOf(file as DataFile, shape) };
}

/** An Avro data file as Iceberg writes them. */
export function avroFile(shape: StructType, rows: readonly Row[], codec: AvroCodec = 'deflate'): Uint8Array {
  const container = new AvroContainerWriter({
    schema: toAvroSchema(shape, 'table'),
    metadata: {},
    codec,
    name: LOCATION,
  });
  const encode = valueEncoder(shape);
  for (const row of rows) container.append((block) => encode(block, row));
  return container.finish();
}
