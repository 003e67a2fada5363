import type { FileIO, FileScanTask } from '@lh/core';
import { invalidData, unsupported } from '@lh/core/engine';
import type { NameMapping } from '@lh/core/engine';
import type { FileSchema } from './file-schema.ts';
import { withMappedIds } from './name-mapping.ts';
import type { RelationSource } from './scan-relation.ts';

/** A file that DuckDB can open, or one that it can't. */
export type LocatedFile =
  | { readonly task: FileScanTask; readonly path: string; readonly schema: FileSchema }
  | { readonly task: FileScanTask; readonly path: null; readonly schema: null };

/** Finds out which of the tasks' files DuckDB can read, and their schemas. UNSUPPORTED for encrypted files. */
export async function locateFiles(
  { io, connection, files, nameMapping }: RelationSource,
  tasks: readonly FileScanTask[],
): Promise<readonly LocatedFile[]> {
  tasks.forEach(refuseEncrypted);
  const paths = tasks.map((task) => duckdbPath(io, task));
  const schemas = await files.load(
    connection,
    paths.filter((path) => path !== null),
  );
  return tasks.map((task, i) => {
    const path = paths[i]!;
    const schema = path === null ? null : schemas.get(path)!;
    if (path === null || schema === null) return { task, path: null, schema: null };
    return { task, path, schema: withIds(schema, nameMapping, path) };
  });
}

/** The path under which DuckDB can open a task's file; null if core has to read it. */
function duckdbPath(io: FileIO, { file }: FileScanTask): string | null {
  if (file.format !== 'parquet') return null;
  const path = io.capabilities.localPath?.(file.path) ?? null;
  // In a pattern DuckDB takes a backslash for a separator, so that such a path can't be written as one.
  return path !== null && /[*?[]/.test(path) && path.includes('\\') ? null : path;
}

function withIds(file: FileSchema, mapping: NameMapping | null, path: string): FileSchema {
  if (file.hasIds || file.fields.length === 0) return file;
  if (mapping) return withMappedIds(file, mapping);
  throw invalidData(
    `The data file ${path} has no field ids and its table has no name mapping, so its columns can't be told apart. ` +
      "Set the table property 'schema.name-mapping.default'.",
    { path },
  );
}

function refuseEncrypted({ file }: FileScanTask): void {
  if (file.keyMetadata === null) return;
  throw unsupported(`The file ${file.path} is encrypted, and encrypted files can't be read.`, { path: file.path });
}
