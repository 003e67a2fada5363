import { MemoryFileIO, Table } from '@lh/core';
import type { FileIO, FileIOCapabilities, FileStat, ReadOptions } from '@lh/core';

import { canonicalRows } from '../conformance/canonical.ts';
import { FIXTURE_ROOT, expectedRows, expectedTables, fixtureIO } from '../conformance/fixtures.ts';
import type { ExpectedTable } from '../conformance/fixtures.ts';
import { avroKind } from './avro-file.ts';

export type Kind =
  | 'metadata'
  | 'manifest list'
  | 'manifest'
  | 'Avro file'
  | 'Puffin file'
  | 'Parquet file'
  | 'ORC file';

/** One file of a table that is read well as long as the file is as it should be. */
export interface Target {
  readonly table: string;
  readonly metadata: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly rows: readonly string[];
  readonly path: string;
  readonly kind: Kind;
}

/** Small tables only: an input is a whole read of one. */
const MAX_ROWS = 300;
const MAX_BYTES = 400_000;

/** Every file that reading the small fixtures touches, by kind, and the tables that can't be read. */
export async function fuzzTargets(): Promise<{
  readonly byKind: ReadonlyMap<Kind, readonly Target[]>;
  readonly unreadable: readonly string[];
}> {
  const byKind = new Map<Kind, Target[]>();
  const unreadable: string[] = [];
  for (const expected of expectedTables()) {
    const read = expected.reads.find(({ name }) => name === 'current');
    if (!read || read.rowCount > MAX_ROWS) continue;
    const metadata = expected.metadata.replace(/^warehouse\//, FIXTURE_ROOT);
    const found = await readRecorded(metadata, expectedRows(read.rowsFile));
    if (found === null) unreadable.push(expected.table);
    else add(byKind, expected, { metadata, ...found });
  }
  return { byKind, unreadable };
}

function add(
  byKind: Map<Kind, Target[]>,
  { table }: ExpectedTable,
  found: Pick<Target, 'metadata' | 'files' | 'rows'>,
): void {
  const size = [...found.files.values()].reduce((sum, { length }) => sum + length, 0);
  if (size > MAX_BYTES) return;
  for (const [path, bytes] of found.files) {
    const kind = kindOf(path, bytes);
    if (kind === null) continue;
    const targets = byKind.get(kind) ?? [];
    targets.push({ ...found, table, path, kind });
    byKind.set(kind, targets);
  }
}

async function readRecorded(
  metadata: string,
  rows: readonly string[],
): Promise<{ readonly files: ReadonlyMap<string, Uint8Array>; readonly rows: readonly string[] } | null> {
  const io = new RecordingFileIO(fixtureIO());
  try {
    const found = await readRows(metadata, io);
    if (found.join('\n') !== rows.join('\n')) return null;
    return { files: await io.recorded(), rows };
  } catch {
    return null;
  }
}

function kindOf(path: string, bytes: Uint8Array): Kind | null {
  if (/\.metadata\.json(?:\.gz)?$/.test(path)) return 'metadata';
  if (path.endsWith('.avro')) return avroKind(bytes);
  if (path.endsWith('.puffin')) return 'Puffin file';
  if (path.endsWith('.orc')) return 'ORC file';
  return path.endsWith('.parquet') ? 'Parquet file' : null;
}

/** A table's rows as canonical lines. */
export async function readRows(metadata: string, io: FileIO): Promise<string[]> {
  const table = await Table.load(metadata, { io });
  return canonicalRows(table.schema, await table.scan().toRows());
}

/** The files of a target with one of them changed. */
export async function changedFiles({ files, path }: Target, bytes: Uint8Array): Promise<FileIO> {
  const io = new MemoryFileIO();
  for (const [location, content] of files) await io.write(location, location === path ? bytes : content);
  return io;
}

/** Remembers which files are read. */
class RecordingFileIO implements FileIO {
  readonly capabilities: FileIOCapabilities;
  readonly #io: FileIO;
  readonly #seen = new Set<string>();

  constructor(io: FileIO) {
    this.#io = io;
    this.capabilities = { conditionalCreate: false, maxDeleteBatch: 1 };
  }

  read(location: string, options?: ReadOptions): Promise<Uint8Array> {
    this.#seen.add(location);
    return this.#io.read(location, options);
  }

  stat(location: string): Promise<FileStat | null> {
    return this.#io.stat(location);
  }

  write(): never {
    throw new Error('Reading writes nothing.');
  }

  list(prefix: string): AsyncIterable<FileStat> {
    return this.#io.list(prefix);
  }

  delete(): never {
    throw new Error('Reading deletes nothing.');
  }

  async recorded(): Promise<ReadonlyMap<string, Uint8Array>> {
    const files = new Map<string, Uint8Array>();
    for (const location of this.#seen) files.set(location, await this.#io.read(location));
    return files;
  }
}
