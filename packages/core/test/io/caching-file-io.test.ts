import { describe, expect, it } from 'vitest';
import type { FileIO } from '../../src/io/file-io.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { ManifestCache } from '../../src/manifest/manifest-cache.ts';

async function filled(sizes: Readonly<Record<string, number>>): Promise<{ io: FileIO; reads: string[] }> {
  const memory = new MemoryFileIO();
  for (const [location, size] of Object.entries(sizes)) await memory.write(location, new Uint8Array(size));
  const reads: string[] = [];
  const io: FileIO = Object.assign(Object.create(memory) as FileIO, {
    read: (location: string) => {
      reads.push(location);
      return memory.read(location);
    },
  });
  return { io, reads };
}

describe('the cache of manifests', () => {
  it('forgets what was not used for longest when it is full', async () => {
    const { io, reads } = await filled({ a: 40, b: 40, c: 40 });
    const cache = new ManifestCache(100);
    for (const location of ['a', 'b', 'a', 'c', 'a', 'b']) await cache.read(io, location);
    expect(reads).toEqual(['a', 'b', 'c', 'b']);
    expect(cache.size).toBe(80);
  });

  it('does not keep what is larger than itself', async () => {
    const { io, reads } = await filled({ a: 40, large: 200 });
    const cache = new ManifestCache(100);
    for (const location of ['a', 'large', 'large', 'a']) await cache.read(io, location);
    expect(reads).toEqual(['a', 'large', 'large']);
    expect(cache.size).toBe(40);
  });

  it('fetches once for all who ask at the same time, and again after a failure', async () => {
    const { io, reads } = await filled({ a: 1 });
    const cache = new ManifestCache(100);
    await Promise.all([cache.read(io, 'a'), cache.read(io, 'a')]);
    expect(reads).toEqual(['a']);
    const failures = await Promise.allSettled([cache.read(io, 'gone'), cache.read(io, 'gone')]);
    expect(failures.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(cache.read(io, 'gone')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(reads).toEqual(['a', 'gone', 'gone']);
  });

  it('is not poisoned by one who gives up', async () => {
    const { io, reads } = await filled({ a: 1 });
    const cache = new ManifestCache(100);
    const controller = new AbortController();
    const [first, second] = [cache.read(io, 'a', { signal: controller.signal }), cache.read(io, 'a')];
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await second).toHaveLength(1);
    expect(reads).toEqual(['a']);
  });
});
