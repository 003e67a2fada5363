import { isLakehouseError } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { describe, expect, test, vi } from 'vitest';

import { Machine } from './machine.ts';
import { mountedDisk } from './mounted-disk.ts';
import { SimulatedDisk } from './simulated-disk.ts';

vi.mock('node:fs/promises', async () => (await import('./mounted-disk.ts')).simulatedFileSystem);
vi.mock('node:fs', async () => (await import('./mounted-disk.ts')).simulatedDescriptors);

const BYTES = new TextEncoder().encode('what was written');
const FILE = '/wh/db/t/metadata/v1.metadata.json';
const SEEDS = 60;

type Lies = ConstructorParameters<typeof SimulatedDisk>[1];

/** In how many of the simulations the file is whole after a power failure. */
async function survivors(prepare: (disk: SimulatedDisk) => Promise<unknown>, lies?: Lies): Promise<number> {
  let whole = 0;
  for (let seed = 0; seed < SEEDS; seed++) {
    const disk = new SimulatedDisk(new Machine(seed), lies);
    mountedDisk.current = disk;
    await prepare(disk);
    disk.fail();
    const read = new LocalFileIO().read(FILE).catch((error: unknown) => {
      if (!isLakehouseError(error, 'NOT_FOUND')) throw error;
      return new Uint8Array();
    });
    if (new TextDecoder().decode(await read) === new TextDecoder().decode(BYTES)) whole++;
  }
  return whole;
}

const write = (): Promise<unknown> => new LocalFileIO().write(FILE, BYTES, { ifNoneMatch: true });

async function makeDirectories(disk: SimulatedDisk): Promise<void> {
  const names = FILE.split('/').slice(1, -1);
  for (let depth = 1; depth <= names.length; depth++) await disk.mkdir(`/${names.slice(0, depth).join('/')}`);
}

async function sync(disk: SimulatedDisk, path: string): Promise<void> {
  await disk.handles.get(await disk.open(path, 'r'))!.sync();
}

/** Writes the file and syncs its bytes, and nothing else. */
async function writeWithoutNames(disk: SimulatedDisk): Promise<void> {
  await makeDirectories(disk);
  const file = disk.handles.get(await disk.open(`${FILE}.tmp`, 'wx'))!;
  for (let at = 0; at < BYTES.length;) at += await file.write(BYTES, at, BYTES.length - at);
  await file.sync();
  await disk.link(`${FILE}.tmp`, FILE);
}

describe('a power failure takes what was not synced', () => {
  test('a file without its name', async () => {
    expect(await survivors(writeWithoutNames)).toBeLessThan(SEEDS / 2);
  });

  test('a name in a directory whose own name was not synced in its parent', async () => {
    const prepare = async (disk: SimulatedDisk): Promise<void> => {
      await writeWithoutNames(disk);
      await sync(disk, '/wh/db/t/metadata');
    };
    expect(await survivors(prepare)).toBeLessThan(SEEDS / 2);
  });

  test.each(['files', 'directories'] as const)('of what the local disk is asked to sync, its %s', async (lies) => {
    expect(await survivors(write, lies)).toBeLessThan(SEEDS / 2);
  });
});

describe('what the local disk has acknowledged survives', () => {
  test('in new directories', async () => {
    expect(await survivors(write)).toBe(SEEDS);
  });

  test('in directories that another process has made and not synced', async () => {
    const prepare = async (disk: SimulatedDisk): Promise<void> => {
      await makeDirectories(disk);
      await write();
    };
    expect(await survivors(prepare)).toBe(SEEDS);
  });

  test('in directories that are made by several at once', async () => {
    expect(await survivors(() => Promise.allSettled([write(), write(), write()]))).toBe(SEEDS);
  });

  test('where it tells that a file is there which another process has not made last', async () => {
    const prepare = async (disk: SimulatedDisk): Promise<void> => {
      await writeWithoutNames(disk);
      await expect(write()).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    };
    expect(await survivors(prepare)).toBe(SEEDS);
  });
});
