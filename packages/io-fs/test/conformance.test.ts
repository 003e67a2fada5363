import { MappedFileIO } from '@lh/core';
import { fileIOConformance, type FileIOSubject } from '@lh/core/testing';
import { describe, expect, test } from 'vitest';
import { LocalFileIO } from '../src/index.ts';
import { temporaryDirectories } from './directories.ts';

const directory = temporaryDirectories();

const SUBJECTS: Record<string, () => Promise<FileIOSubject>> = {
  'LocalFileIO, plain path': async () => ({ io: new LocalFileIO(), root: await directory() }),
  'LocalFileIO, file:/x': async () => ({ io: new LocalFileIO(), root: `file:${await directory()}` }),
  'LocalFileIO, file:///x': async () => ({ io: new LocalFileIO(), root: `file://${await directory()}` }),
  'LocalFileIO under MappedFileIO': async () => ({
    io: new MappedFileIO(new LocalFileIO(), { 's3://bucket/wh/': `${await directory()}/` }),
    root: 's3://bucket/wh/root',
  }),
};

describe.each(Object.entries(SUBJECTS))('%s', (_name, make) => {
  test.each(fileIOConformance.map((each) => [each.name, each.run] as const))('%s', async (_case, run) => {
    await expect(run(make)).resolves.toBeUndefined();
  });
});
