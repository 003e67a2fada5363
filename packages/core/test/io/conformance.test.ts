import { describe, expect, test } from 'vitest';
import { CachingFileIO } from '../../src/io/caching-file-io.ts';
import { MappedFileIO } from '../../src/io/mapped-file-io.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import {
  FaultInjectingFileIO,
  MeasuringFileIO,
  SeededRuntime,
  fileIOConformance,
  type FileIOSubject,
} from '../../src/testing/index.ts';

const SUBJECTS: Record<string, () => Promise<FileIOSubject>> = {
  MemoryFileIO: async () => ({ io: new MemoryFileIO(), root: 'mem://bucket/root' }),
  'MemoryFileIO with plain paths': async () => ({ io: new MemoryFileIO(), root: '/data/root' }),
  'MappedFileIO, all mapped': async () => ({
    io: new MappedFileIO(new MemoryFileIO(), { 's3://old/wh/': '/data/copy/' }),
    root: 's3://old/wh/root',
  }),
  'MappedFileIO, nothing mapped': async () => ({
    io: new MappedFileIO(new MemoryFileIO(), { 's3://old/wh/': '/data/copy/' }),
    root: '/data/copy/root',
  }),
  'MappedFileIO, parts mapped elsewhere': async () => ({
    io: new MappedFileIO(new MemoryFileIO(), {
      's3://old/wh/a': '/a',
      's3://old/wh/n/%': '/percent-',
      's3://old/wh/x/1/': '/one/',
    }),
    root: 's3://old/wh',
  }),
  'MappedFileIO, the names swapped': async () => ({
    io: new MappedFileIO(new MemoryFileIO(), { '/a/': '/b/', '/b/': '/a/' }),
    root: '/a',
  }),
  'FaultInjectingFileIO without faults': async () => ({
    io: new FaultInjectingFileIO(new MemoryFileIO(), { runtime: new SeededRuntime(1) }),
    root: 'mem://bucket/root',
  }),
  'MeasuringFileIO without latency': async () => ({
    io: new MeasuringFileIO(new MemoryFileIO()),
    root: 'mem://bucket/root',
  }),
  CachingFileIO: async () => ({ io: new CachingFileIO(new MemoryFileIO()), root: 'mem://bucket/root' }),
  'CachingFileIO of names that are given once': async () => ({
    io: new MappedFileIO(new CachingFileIO(new MemoryFileIO()), {
      'mem://bucket/': 'mem://bucket/0196b5a1-6f0e-7c3a-9f64-2d1f0f1a7b3c/',
    }),
    root: 'mem://bucket/root',
  }),
  'a store that can only list flat': async () => ({ io: flat(new MemoryFileIO()), root: 'mem://bucket/root' }),
};

/** The five operations and nothing else. */
function flat(io: FileIO): FileIO {
  return {
    capabilities: io.capabilities,
    read: (location, options) => io.read(location, options),
    stat: (location, options) => io.stat(location, options),
    write: (location, data, options) => io.write(location, data, options),
    list: (prefix, options) => io.list(prefix, options),
    delete: (locations, options) => io.delete(locations, options),
  };
}

describe.each(Object.entries(SUBJECTS))('%s', (_name, make) => {
  test.each(fileIOConformance.map((each) => [each.name, each.run] as const))('%s', async (_case, run) => {
    await expect(run(make)).resolves.toBeUndefined();
  });
});
