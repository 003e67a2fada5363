import { describe, expect, test } from 'vitest';
import { FileSystemCatalog } from '../../src/catalog/file-system-catalog.ts';
import { MemoryCatalog } from '../../src/catalog/memory-catalog.ts';
import { MappedFileIO } from '../../src/io/mapped-file-io.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import { catalogConformance, type CatalogCapabilities, type CatalogSubject } from '../../src/testing/index.ts';

const IN_MEMORY: CatalogCapabilities = {
  renameTable: true,
  namespaceProperties: true,
  requiresNamespace: true,
  chosenLocation: true,
  handlesFollowRenames: true,
  unfitForNames: '',
};

const IN_FILE_SYSTEM: CatalogCapabilities = {
  renameTable: false,
  namespaceProperties: false,
  requiresNamespace: false,
  chosenLocation: false,
  handlesFollowRenames: false,
  unfitForNames: '',
};

async function fileSystem(io: FileIO, warehouse: string): Promise<CatalogSubject> {
  return { io, catalog: await FileSystemCatalog.open({ io, warehouse }), capabilities: IN_FILE_SYSTEM };
}

const SUBJECTS: Record<string, () => Promise<CatalogSubject>> = {
  MemoryCatalog: async () => {
    const catalog = new MemoryCatalog();
    return { catalog, io: catalog.io, capabilities: IN_MEMORY };
  },
  FileSystemCatalog: () => fileSystem(new MemoryFileIO(), 's3://bucket/wh'),
  'FileSystemCatalog over MappedFileIO': () =>
    fileSystem(new MappedFileIO(new MemoryFileIO(), { 's3://bucket/': '/data/' }), 's3://bucket/wh/'),
};

describe.each(Object.entries(SUBJECTS))('%s', (_name, make) => {
  test.each(catalogConformance.map((each) => [each.name, each.run] as const))('%s', async (_case, run) => {
    await expect(run(make)).resolves.toBeUndefined();
  });
});
