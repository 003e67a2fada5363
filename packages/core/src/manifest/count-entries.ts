import { invalidData } from '../errors.ts';
import { readAvroContainer } from '../formats/avro/container.ts';
import { valueDecoder } from '../formats/avro/decode-values.ts';
import type { FileIO } from '../io/file-io.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import type { StructType } from '../spec/types.ts';
import { STATUS } from './entry-decoder.ts';
import { ENTRY_FIELD, FILE_FIELD } from './manifest-schema.ts';

/** Status and record count, all that counting needs. */
const COUNTED: StructType = {
  kind: 'struct',
  fields: [
    { id: ENTRY_FIELD.status, name: 'status', required: true, type: { kind: 'int' } },
    {
      id: ENTRY_FIELD.dataFile,
      name: 'data_file',
      required: true,
      type: {
        kind: 'struct',
        fields: [{ id: FILE_FIELD.recordCount, name: 'record_count', required: true, type: { kind: 'long' } }],
      },
    },
  ],
};

/**
 * The manifest with all of its counts: v1 manifest lists may leave them out, later versions require them. Reads the
 * manifest if one is missing.
 */
export async function withCounts(io: FileIO, manifest: ManifestFile): Promise<ManifestFile> {
  const {
    addedFilesCount,
    existingFilesCount,
    deletedFilesCount,
    addedRowsCount,
    existingRowsCount,
    deletedRowsCount,
  } = manifest;
  const counts = [
    addedFilesCount,
    existingFilesCount,
    deletedFilesCount,
    addedRowsCount,
    existingRowsCount,
    deletedRowsCount,
  ];
  if (!counts.includes(null)) return manifest;
  const files = [0, 0, 0];
  const rows = [0, 0, 0];
  const container = readAvroContainer(await io.read(manifest.path), manifest.path);
  const decode = valueDecoder(container.schema, COUNTED, manifest.path);
  for (const { count, reader } of container.blocks()) {
    for (let i = 0; i < count; i++) {
      const [status, file] = decode(reader) as readonly [number, readonly [bigint] | null];
      reader.checkEnd();
      if (files[status] === undefined || !file)
        throw invalidData(`The manifest ${manifest.path} is damaged.`, { path: manifest.path });
      files[status]++;
      rows[status]! += Number(file[0]);
    }
  }
  return {
    ...manifest,
    addedFilesCount: files[STATUS.added]!,
    existingFilesCount: files[STATUS.existing]!,
    deletedFilesCount: files[STATUS.deleted]!,
    addedRowsCount: rows[STATUS.added]!,
    existingRowsCount: rows[STATUS.existing]!,
    deletedRowsCount: rows[STATUS.deleted]!,
  };
}
