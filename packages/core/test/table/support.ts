import { FileSystemCatalog } from '../../src/catalog/file-system-catalog.ts';
import type { Catalog, CreateTableOptions } from '../../src/catalog/catalog.ts';
import { MemoryCatalog } from '../../src/catalog/memory-catalog.ts';
import { isLakehouseError } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { readManifestList } from '../../src/manifest/read-manifest-list.ts';
import { readManifest } from '../../src/manifest/read-manifest.ts';
import type { Reporter } from '../../src/reporter.ts';
import type { Runtime } from '../../src/runtime.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import type { Table } from '../../src/table.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { expect } from 'vitest';

export const FORMAT_VERSIONS: readonly FormatVersion[] = [1, 2, 3];
export const CATALOGS = ['memory', 'file-system'] as const;

export interface OpenOptions {
  readonly io?: FileIO;
  /** 'memory:/wh' if left out. */
  readonly warehouse?: string;
  readonly runtime?: Runtime;
  readonly reporter?: Reporter;
}

/** A catalog of the kind, with the namespace `db`. */
export async function openCatalog(kind: (typeof CATALOGS)[number], options: OpenOptions = {}): Promise<Catalog> {
  const io = options.io ?? new MemoryFileIO();
  const runtime = options.runtime ?? new SeededRuntime(1);
  const { warehouse = 'memory:/wh' } = options;
  const rest = { runtime, warehouse, ...(options.reporter && { reporter: options.reporter }) };
  const catalog =
    kind === 'memory' ? new MemoryCatalog({ io, ...rest }) : await FileSystemCatalog.open({ io, ...rest });
  if (!(await catalog.namespaceExists('db'))) await catalog.createNamespace('db');
  return catalog;
}

/** A table `db.t` in a file-system catalog of its own. */
export async function newTable<Row extends Record<string, unknown>>(
  options: CreateTableOptions<Row>,
  open: OpenOptions = {},
): Promise<Table<Row>> {
  const catalog = await openCatalog('file-system', open);
  return catalog.createTable('db.t', options);
}

export async function expectError(promise: Promise<unknown>, code: ErrorCode, message?: RegExp): Promise<void> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error, 'the call should have failed').not.toBeNull();
  if (!isLakehouseError(error)) throw error as Error;
  expect(error.code, error.message).toBe(code);
  if (message) expect(error.message).toMatch(message);
}

export async function listFiles(io: FileIO, prefix: string): Promise<readonly string[]> {
  const files: string[] = [];
  for await (const file of io.list(prefix)) files.push(file.location);
  return files.toSorted();
}

/** Files below the table's location that none of its snapshots and versions lead to. */
export async function orphans(
  table: Pick<Table, 'metadata' | 'metadataLocation' | 'schema' | 'location'>,
  io: FileIO,
): Promise<readonly string[]> {
  const { metadata } = table;
  const used = new Set([table.metadataLocation, ...metadata.metadataLog.map((entry) => entry.metadataFile)]);
  for (const snapshot of metadata.snapshots) {
    if (snapshot.manifestList !== null) used.add(snapshot.manifestList);
    for (const manifest of await readManifestList(io, snapshot, metadata)) {
      used.add(manifest.path);
      const options = { specs: metadata.partitionSpecs, schema: table.schema, otherSchemas: metadata.schemas };
      for await (const entries of readManifest(io, manifest, options))
        for (const entry of entries) used.add(entry.file.path);
    }
  }
  const files = await listFiles(io, `${table.location}/`);
  return files.filter(
    (file) => !used.has(file) && !file.endsWith('/version-hint.text') && !file.includes('.namespace'),
  );
}
