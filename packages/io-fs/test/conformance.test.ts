import { MappedFileIO } from '@lh/core';
import { fileIOConformance, type FileIOSubject } from '@lh/core/testing';
import { describe, test } from 'vitest';
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

for (const [name, make] of Object.entries(SUBJECTS)) {
  describe(name, () => {
    for (const { name: what, run } of fileIOConformance) test(what, () => run(make));
  });
}
