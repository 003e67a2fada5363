import { spawnSync } from 'node:child_process';
import { chmod, lstat, mkdir, readFile, readdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MappedFileIO, isLakehouseError, type FileIO } from '@lh/core';
import { describe, expect, test } from 'vitest';
import { LocalFileIO } from '../src/index.ts';
import { localPath } from '../src/local-path.ts';
import { fromSystemError } from '../src/system-errors.ts';
import { temporaryDirectories } from './directories.ts';

const directory = temporaryDirectories();
const io: FileIO = new LocalFileIO();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function listed(prefix: string): Promise<string[]> {
  const locations: string[] = [];
  for await (const file of io.list(prefix)) locations.push(file.location);
  return locations.toSorted();
}

describe('locations', () => {
  test.each([
    ['/data/x', '/data/x'],
    ['file:/data/x', '/data/x'],
    ['file:///data/x', '/data/x'],
    ['file://localhost/data/x', '/data/x'],
    ['FILE:///data/x', '/data/x'],
    ['/data/100%25/x', '/data/100%25/x'],
    ['file:///data/a%20b', '/data/a%20b'],
    ['relative/x', join(process.cwd(), 'relative/x')],
    ['/data/s3:/x', '/data/s3:/x'],
    ['s3://bucket/x', null],
    ['hdfs:/x', null],
    ['file://host/x', null],
    ['file:x', null],
    ['', null],
    ['/a\0b', null],
  ])('%j is the path %j', (location, path) => {
    expect(localPath(location)).toBe(path);
  });

  test('a location of another store is refused with advice', async () => {
    const calls = [io.read('s3://b/x'), io.stat('s3://b/x'), io.write('s3://b/x', bytes('')), listed('s3://b/x')];
    for (const call of calls) {
      await expect(call).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('MappedFileIO'),
      });
    }
    const { deleted, failed } = await io.delete(['s3://b/x']);
    expect([deleted.length, failed.length]).toEqual([0, 1]);
  });

  test('all spellings are one file, and a percent sign is a percent sign on the disk', async () => {
    const root = await directory();
    await io.write(`file:${root}/p=%2F/f`, bytes('one'));
    expect(await readdir(root)).toEqual(['p=%2F']);
    for (const location of [`${root}/p=%2F/f`, `file://${root}/p=%2F/f`, `file://localhost${root}/p=%2F/f`]) {
      expect(await io.read(location)).toEqual(bytes('one'));
    }
    expect(await listed(`file:${root}/p`)).toEqual([`file:${root}/p=%2F/f`]);
  });
});

describe('writing', () => {
  test('no temporary file stays, whether the write succeeds, loses or fails', async () => {
    const root = await directory();
    await io.write(`${root}/f`, bytes('1'));
    await io.write(`${root}/f`, bytes('2'));
    await io.write(`${root}/g`, bytes('1'), { ifNoneMatch: true });
    await expect(io.write(`${root}/g`, bytes('2'), { ifNoneMatch: true })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
    expect((await readdir(root)).toSorted()).toEqual(['f', 'g']);
    expect((await lstat(`${root}/g`)).nlink).toBe(1);
  });

  test('leftovers of a killed process are no data, and can be cleared away by age', async () => {
    const root = await directory();
    const leftover = `.lh-tmp-${'0'.repeat(32)}`;
    await io.write(`${root}/t/f`, bytes('data'));
    await writeFile(`${root}/t/${leftover}`, 'half');
    await writeFile(`${root}/t/.lh-tmp-mine`, 'not ours');
    await utimes(`${root}/t/${leftover}`, new Date(1000), new Date(1000));
    expect(await listed(`${root}/`)).toEqual([`${root}/t/.lh-tmp-mine`, `${root}/t/f`]);

    const local = new LocalFileIO();
    expect((await local.deleteUnfinishedWrites(`${root}/`, { olderThan: 500 })).deleted).toEqual([]);
    const { deleted } = await local.deleteUnfinishedWrites(`${root}/`, { olderThan: 2000 });
    expect(deleted).toEqual([`${root}/t/${leftover}`]);
    expect((await readdir(`${root}/t`)).toSorted()).toEqual(['.lh-tmp-mine', 'f']);
  });

  test('a path through a file, a directory in the way and a slash at the end are refused', async () => {
    const root = await directory();
    await io.write(`${root}/f`, bytes('x'));
    await mkdir(`${root}/d`);
    for (const location of [`${root}/f/below`, `${root}/f/far/below`, `${root}/d`, `${root}/d/`]) {
      await expect(io.write(location, bytes('y'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    await expect(io.write(`${root}/${'n'.repeat(300)}`, bytes('y'))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect((await readdir(root)).toSorted()).toEqual(['d', 'f']);
    expect(await readFile(`${root}/f`, 'utf8')).toBe('x');
  });
});

describe.runIf(process.platform === 'linux')('places where nothing can be made', () => {
  // Node's recursive mkdir never comes back from the first two.
  test.each(['/proc/none/x', '/proc/none/far/below/x', '/dev/null/x', '/sys/none/x'])('%s', async (location) => {
    await expect(io.write(location, bytes('y'))).rejects.toMatchObject({
      code: expect.stringMatching(/^(INVALID_ARGUMENT|UNAUTHORIZED)$/) as string,
    });
  });
});

test('directories are made at any depth', async () => {
  const deep = `${await directory()}/${Array.from({ length: 40 }, (_, i) => `d${i}`).join('/')}`;
  await Promise.all(Array.from({ length: 8 }, (_, i) => io.write(`${deep}/f${i}`, bytes('x'))));
  expect(await readdir(deep)).toHaveLength(8);
});

describe('listing', () => {
  test('links to files and directories are followed, circles and dead ends are not', async () => {
    const root = await directory();
    await io.write(`${root}/real/sub/f`, bytes('x'));
    await io.write(`${root}/other/g`, bytes('x'));
    await symlink('../other', `${root}/real/link`);
    await symlink('../real', `${root}/other/back`);
    await symlink('.', `${root}/real/self`);
    await symlink('..', `${root}/real/sub/up`);
    await symlink('f', `${root}/real/sub/alias`);
    await symlink('nowhere', `${root}/real/dead`);
    expect(await listed(`${root}/real/`)).toEqual([
      `${root}/real/link/g`,
      `${root}/real/sub/alias`,
      `${root}/real/sub/f`,
    ]);
  });

  test('empty directories hold no files', async () => {
    const root = await directory();
    await mkdir(`${root}/a/b/c`, { recursive: true });
    expect(await listed(`${root}/`)).toEqual([]);
  });
});

describe('errors', () => {
  test.each([
    ['ENOENT', 'NOT_FOUND', false],
    ['EACCES', 'UNAUTHORIZED', false],
    ['EPERM', 'UNAUTHORIZED', false],
    ['EROFS', 'UNAUTHORIZED', false],
    ['ENOSPC', 'RESOURCE_EXHAUSTED', false],
    ['EDQUOT', 'RESOURCE_EXHAUSTED', false],
    ['EMFILE', 'RESOURCE_EXHAUSTED', true],
    ['ENAMETOOLONG', 'INVALID_ARGUMENT', false],
    ['EEXIST', 'ALREADY_EXISTS', false],
    ['EIO', 'UNAVAILABLE', true],
    ['ESTALE', 'UNAVAILABLE', true],
  ])('%s is %s', (systemCode, code, retryable) => {
    const cause = Object.assign(new Error('x'), { code: systemCode });
    const error = fromSystemError(cause, 'write', '/x');
    expect(error).toMatchObject({ code, retryable, context: { location: '/x', systemCode }, cause });
    expect(error.message).toContain("'/x'");
  });

  test('a place without permission is UNAUTHORIZED, to read, list and write', async () => {
    const root = await directory();
    await io.write(`${root}/closed/f`, bytes('x'));
    await chmod(`${root}/closed`, 0);
    await chmod(root, 0o755);
    // A process that runs as root becomes nobody first: permissions don't apply to root.
    const script = `
      import { LocalFileIO } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};
      if (process.getuid?.() === 0) process.setuid(65534);
      const io = new LocalFileIO();
      const list = async () => { for await (const file of io.list('${root}/')) void file; };
      const calls = [io.read('${root}/closed/f'), io.stat('${root}/closed/f'), io.write('${root}/closed/g', new Uint8Array(1)), list()];
      const results = await Promise.allSettled(calls);
      const { failed } = await io.delete(['${root}/closed/f']);
      console.log(JSON.stringify([...results.map((result) => result.reason?.code), failed[0]?.error.code]));
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    await chmod(`${root}/closed`, 0o755);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(Array.from({ length: 5 }, () => 'UNAUTHORIZED'));
  });

  test('errors keep their cause and a message that names the file', async () => {
    const root = await directory();
    const error: unknown = await io.read(`${root}/none`).catch((reason: unknown) => reason);
    expect(isLakehouseError(error, 'NOT_FOUND')).toBe(true);
    expect(error).toMatchObject({ message: `Can't read '${root}/none': there is no such file (ENOENT).` });
  });
});

describe('moveIn', () => {
  test('a file of the disk becomes that of a location, whose directories are made', async () => {
    const root = await directory();
    await writeFile(join(root, 'made'), 'content');
    expect(await new LocalFileIO().moveIn(join(root, 'made'), `file://${root}/p=%2F/q/file`)).toMatchObject({
      size: 7,
    });
    expect(await io.read(`${root}/p=%2F/q/file`)).toEqual(bytes('content'));
    expect(await readdir(root)).toEqual(['p=%2F']);
  });

  test('through mapped locations', async () => {
    const root = await directory();
    await writeFile(join(root, 'made'), 'content');
    const mapped = new MappedFileIO(io, { 's3://bucket/': `${root}/copy/` });
    expect(await mapped.moveIn?.(join(root, 'made'), 's3://bucket/file')).toMatchObject({
      location: 's3://bucket/file',
    });
    expect(await mapped.read('s3://bucket/file')).toEqual(bytes('content'));
  });

  test('a file that is not there is NOT_FOUND', async () => {
    const root = await directory();
    const moved = new LocalFileIO().moveIn(join(root, 'none'), join(root, 'file'));
    await expect(moved).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
