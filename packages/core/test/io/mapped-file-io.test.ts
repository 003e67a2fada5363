import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FileIO, FileIOCapabilities } from '../../src/io/file-io.ts';
import { listDirectories } from '../../src/io/list-directories.ts';
import { MappedFileIO } from '../../src/io/mapped-file-io.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function listed(io: FileIO, prefix: string): Promise<string[]> {
  const locations: string[] = [];
  for await (const file of io.list(prefix)) locations.push(file.location);
  return locations.toSorted();
}

test('the longest prefix wins, and results carry the locations that were asked for', async () => {
  const inner = new MemoryFileIO();
  const io = new MappedFileIO(inner, { 's3://old/': '/all/', 's3://old/wh/t/': '/tables/t/', 's3://old/wh/': '/wh/' });
  for (const name of ['x', 'wh/x', 'wh/t/x']) {
    expect((await io.write(`s3://old/${name}`, bytes(name))).location).toBe(`s3://old/${name}`);
    expect((await io.stat(`s3://old/${name}`))?.location).toBe(`s3://old/${name}`);
  }
  expect(await listed(inner, '')).toEqual(['/all/x', '/tables/t/x', '/wh/x']);
  expect(await listed(io, 's3://old/')).toEqual(['s3://old/wh/t/x', 's3://old/wh/x', 's3://old/x']);
  expect(await listed(io, 's3://o')).toEqual(['s3://old/wh/t/x', 's3://old/wh/x', 's3://old/x']);
  expect(await listDirectories(io, 's3://old')).toEqual(['wh']);
  expect(await listDirectories(io, 's3://old/wh')).toEqual(['t']);
  expect((await io.delete(['s3://old/wh/x', 's3://old/none'])).deleted).toEqual(['s3://old/wh/x', 's3://old/none']);
  expect(await listed(inner, '/wh/')).toEqual([]);
});

test('a file that a longer prefix hides is not listed', async () => {
  const inner = new MemoryFileIO();
  const io = new MappedFileIO(inner, { 's3://old/': '/all/', 's3://old/t/': '/elsewhere/' });
  await inner.write('/all/t/hidden', bytes(''));
  await inner.write('/all/seen', bytes(''));
  expect(await listed(io, 's3://old/')).toEqual(['s3://old/seen']);
  expect(await io.stat('s3://old/t/hidden')).toBeNull();
});

test('what no prefix matches stays as it is', async () => {
  const inner = new MemoryFileIO();
  const io = new MappedFileIO(inner, { 's3://old/': '/data/' });
  await io.write('/plain/x', bytes('x'));
  expect(await listed(inner, '')).toEqual(['/plain/x']);
  expect(await listed(io, '/plain/')).toEqual(['/plain/x']);
});

test('a prefix of another store is never given to the inner one when it is mapped', async () => {
  const asked: string[] = [];
  class Strict extends MemoryFileIO {
    override list(prefix: string): ReturnType<MemoryFileIO['list']> {
      asked.push(prefix);
      return super.list(prefix);
    }
  }
  const io = new MappedFileIO(new Strict(), { 's3://old/wh/': '/data/' });
  await listed(io, 's3://old/wh/t/');
  await listed(io, 's3://old/wh/');
  expect(asked).toEqual(['/data/t/', '/data/']);
});

test('localPath and the other capabilities pass through', () => {
  const capabilities: FileIOCapabilities = {
    conditionalCreate: false,
    maxDeleteBatch: 7,
    localPath: (path) => `disk:${path}`,
    s3Object: (location) => ({ bucket: 'b', key: location, access: () => Promise.reject(new Error('not asked for')) }),
  };
  const inner = Object.assign(new MemoryFileIO(), { capabilities });
  const io = new MappedFileIO(inner, { 's3://old/': '/data/' });
  expect([io.capabilities.conditionalCreate, io.capabilities.maxDeleteBatch]).toEqual([false, 7]);
  expect(io.capabilities.localPath?.('s3://old/x')).toBe('disk:/data/x');
  expect(io.capabilities.s3Object?.('s3://old/x')?.key).toBe('/data/x');
  expect(new MappedFileIO(new MemoryFileIO(), {}).capabilities.localPath).toBeUndefined();
});

test('no location climbs out of the place that it is mapped to', async () => {
  const capabilities: FileIOCapabilities = { conditionalCreate: true, maxDeleteBatch: 7, localPath: (path) => path };
  const io = new MappedFileIO(Object.assign(new MemoryFileIO(), { capabilities }), {
    's3://old/wh/': '/copy/wh/',
    's3://bare': '/copy/bare',
  });
  const outside = [
    's3://old/wh/../etc',
    's3://old/wh/t/../../etc',
    's3://old/wh/./\\..\\x',
    's3://bare/../x',
    's3://bare-2/../x',
  ];
  for (const location of outside) {
    await expect(io.read(location)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(io.write(location, bytes('x'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(io.capabilities.localPath?.(location)).toBeNull();
  }
  // As long as it stays inside, a name is a name.
  await io.write('s3://old/wh/t/../..x', bytes('x'));
  expect(io.capabilities.localPath?.('s3://bare/a..b/..')).toBe('/copy/bare/a..b/..');
});

test('prefixes that can only be mistakes are refused', () => {
  expect(() => new MappedFileIO(new MemoryFileIO(), { 's3://old/': '/data' })).toThrow(/slash/);
  expect(() => new MappedFileIO(new MemoryFileIO(), { '': '/data/' })).toThrow(/empty/);
});

describe('laws', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '/'), minLength: 1, maxLength: 5 });
  const mappings = fc.dictionary(
    name,
    fc.string({ unit: fc.constantFrom('a', 'b', 'x'), minLength: 1, maxLength: 3 }),
    { maxKeys: 4 },
  );

  test('list gives exactly the locations with the prefix whose file can be read', async () => {
    await fc.assert(
      fc.asyncProperty(mappings, fc.array(name, { maxLength: 8 }), name, async (prefixes, inside, prefix) => {
        const inner = new MemoryFileIO();
        for (const location of inside) await inner.write(location, bytes(location));
        const usable = Object.fromEntries(Object.entries(prefixes).filter(([from]) => !from.endsWith('/')));
        const io = new MappedFileIO(inner, usable);
        // Every outer location that can reach one of the files: through a mapping, or unmapped.
        const candidates = new Set(inside);
        for (const location of inside) {
          for (const [from, to] of Object.entries(usable)) {
            if (location.startsWith(to)) candidates.add(from + location.slice(to.length));
          }
        }
        const expected: string[] = [];
        for (const candidate of candidates) {
          if (candidate.startsWith(prefix) && (await io.stat(candidate))) expected.push(candidate);
        }
        expect(await listed(io, prefix)).toEqual(expected.toSorted());
      }),
      { numRuns: 300 },
    );
  });
});

test('unfinished writes are deleted where they are', async () => {
  const inner = new MemoryFileIO();
  const asked: string[] = [];
  const io: FileIO = Object.assign(inner, {
    deleteUnfinishedWrites: async (prefix: string) => {
      asked.push(prefix);
      return { deleted: [`${prefix}x.tmp`], failed: [{ location: `${prefix}y.tmp`, error: null }] };
    },
  });
  const mapped = new MappedFileIO(io, { 's3://old/': '/all/' });
  expect(await mapped.deleteUnfinishedWrites!('s3://old/t/', { olderThan: 1 })).toEqual({
    deleted: ['s3://old/t/x.tmp'],
    failed: [{ location: 's3://old/t/y.tmp', error: null }],
  });
  expect(asked).toEqual(['/all/t/']);
  expect(new MappedFileIO(new MemoryFileIO(), { 's3://old/': '/all/' }).deleteUnfinishedWrites).toBeUndefined();
});
