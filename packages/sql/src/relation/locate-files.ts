import type { FileIO, FileScanTask } from '@lh/core';
import { invalidData, lookAhead, unsupported } from '@lh/core/engine';
import type { NameMapping } from '@lh/core/engine';
import type { KnownFooter } from '../remote/footer-memory.ts';
import type { TableFile } from '../remote/file-cache.ts';
import type { ScanFiles } from '../remote/scan-files.ts';
import type { FileSchema } from './file-schema.ts';
import { withMappedIds } from './name-mapping.ts';
import type { RelationSource } from './scan-relation.ts';

/** Where DuckDB reads a file: on the local disk, in the store itself, or in the cache, once what it needs is there. */
export type FilePlace =
  | { readonly kind: 'local' | 'httpfs'; readonly path: string }
  | { readonly kind: 'cache'; readonly file: TableFile; readonly known: KnownFooter };

/** A file that DuckDB can open, or one that it can't. */
export type LocatedFile =
  | { readonly task: FileScanTask; readonly place: FilePlace; readonly schema: FileSchema }
  | { readonly task: FileScanTask; readonly place: null; readonly schema: null };

/** Finds out which of the tasks' files DuckDB can read, and their schemas. UNSUPPORTED for encrypted files. */
export async function locateFiles(
  { io, connection, files, nameMapping, remote }: RelationSource,
  tasks: readonly FileScanTask[],
): Promise<readonly LocatedFile[]> {
  tasks.forEach(refuseEncrypted);
  const places = await findPlaces(io, remote, tasks);
  const readable = tasks.flatMap((task, i) => (places[i] === null ? [] : [task]));
  const byName = new Map(readable.map((task) => [nameOf(io, remote, task), task]));
  const schemas = await files.load(connection, [...byName.keys()], (names) =>
    Promise.all(names.map((name) => schemaPath(io, remote, byName.get(name)!))),
  );
  return tasks.map((task, i) => {
    const place = places[i]!;
    const schema = place === null ? null : schemas.get(nameOf(io, remote, task))!;
    if (place === null || schema === null) return { task, place: null, schema: null };
    return { task, place, schema: withIds(schema, nameMapping, task.file.path) };
  });
}

const AT_ONCE = 64;

/** Null for files that core has to read. */
async function findPlaces(
  io: FileIO,
  remote: ScanFiles,
  tasks: readonly FileScanTask[],
): Promise<readonly (FilePlace | null)[]> {
  const places: (FilePlace | null)[] = [];
  for await (const place of lookAhead(tasks, AT_ONCE, (task) => placeOf(io, remote, task))) places.push(place);
  return places;
}

async function placeOf(io: FileIO, remote: ScanFiles, task: FileScanTask): Promise<FilePlace | null> {
  if (task.file.format !== 'parquet') return null;
  const local = localPath(io, task);
  if (local !== null) {
    // In a pattern DuckDB takes a backslash for a separator, so that such a path can't be written as one.
    return /[*?[]/.test(local) && local.includes('\\') ? null : { kind: 'local', path: local };
  }
  if (io.capabilities.inMemory) return null;
  const url = remote.url(task.file.path);
  if (url !== null) return { kind: 'httpfs', path: url };
  const file = remote.tableFile(task);
  return { kind: 'cache', file, known: await remote.footer(file) };
}

function localPath(io: FileIO, { file }: FileScanTask): string | null {
  return io.capabilities.localPath?.(file.path) ?? null;
}

/** What a file's schema is kept under. */
function nameOf(io: FileIO, remote: ScanFiles, task: FileScanTask): string {
  return localPath(io, task) ?? remote.nameOf(task.file.path);
}

/** A path of the local disk where DuckDB finds the file's schema. */
async function schemaPath(io: FileIO, remote: ScanFiles, task: FileScanTask): Promise<string> {
  return localPath(io, task) ?? (await remote.footerPath(remote.tableFile(task)));
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
