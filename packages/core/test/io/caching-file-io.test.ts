import { describe, expect, it } from 'vitest';
import { CachingFileIO, withCache } from '../../src/io/caching-file-io.ts';
import { MappedFileIO } from '../../src/io/mapped-file-io.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import { MeasuringFileIO } from '../../src/testing/measuring-file-io.ts';

const UUID = '0196b5a1-6f0e-7c3a-9f64-2d1f0f1a7b3c';
/** A name that is given once. */
const named = (name: string): string => `s3://b/t/metadata/${UUID}-${name}.avro`;

async function filled(
  sizes: Readonly<Record<string, number>>,
): Promise<{ io: MeasuringFileIO; reads: () => string[] }> {
  const memory = new MemoryFileIO();
  for (const [location, size] of Object.entries(sizes)) await memory.write(location, new Uint8Array(size).fill(7));
  const io = new MeasuringFileIO(memory);
  const reads = (): string[] =>
    io.requests.flatMap(({ operation, location }) => (operation === 'read' ? [location] : []));
  return { io, reads };
}

describe('the cache', () => {
  const [a, b, c] = [named('a'), named('b'), named('c')];

  it('forgets what was not used for longest when it is full', async () => {
    const { io, reads } = await filled({ [a]: 40, [b]: 40, [c]: 40 });
    const cache = new CachingFileIO(io, { maxBytes: 100 });
    for (const location of [a, b, a, c, a, b]) await cache.read(location);
    expect(reads()).toEqual([a, b, c, b]);
    expect(cache.size).toBe(80);
  });

  it('does not keep what is larger than itself', async () => {
    const { io, reads } = await filled({ [a]: 40, [b]: 200 });
    const cache = new CachingFileIO(io, { maxBytes: 100 });
    for (const location of [a, b, b, a]) await cache.read(location);
    expect(reads()).toEqual([a, b, b]);
    expect(cache.size).toBe(40);
  });

  it('keeps only whole files whose names are given once', async () => {
    const kept = [`/t/metadata/snap-1-1-${UUID}.avro`, `/t/metadata/00003-${UUID}.metadata.json`, named('m0')];
    const others = ['/t/metadata/v3.metadata.json', '/t/metadata/version-hint.text', '/t/m.avro', `/${UUID}/m.avro`];
    const { io, reads } = await filled(Object.fromEntries([...kept, ...others].map((name) => [name, 10])));
    const cache = new CachingFileIO(io);
    for (const location of [...kept, ...others]) for (let i = 0; i < 2; i++) await cache.read(location);
    expect(reads()).toEqual([...kept, ...others.flatMap((name) => [name, name])]);
    expect(await cache.read(kept[0]!, { offset: 4 })).toHaveLength(6);
    expect(reads()).toHaveLength(kept.length + 2 * others.length + 1);
  });

  it('fetches once for all who ask at the same time, and again after a failure', async () => {
    const { io, reads } = await filled({ [a]: 1 });
    const cache = new CachingFileIO(io);
    await Promise.all([cache.read(a), cache.read(a)]);
    expect(reads()).toEqual([a]);
    const failures = await Promise.allSettled([cache.read(b), cache.read(b)]);
    expect(failures.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(cache.read(b)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(reads()).toEqual([a, b, b]);
  });

  it('is not poisoned by one who gives up', async () => {
    const { io, reads } = await filled({ [a]: 1 });
    const cache = new CachingFileIO(io);
    const controller = new AbortController();
    const [first, second] = [cache.read(a, { signal: controller.signal }), cache.read(a)];
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await second).toHaveLength(1);
    expect(reads()).toEqual([a]);
    await expect(cache.read(a, { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('gives up a fetch that nobody waits for any more', async () => {
    const answers: ((bytes: Uint8Array) => void)[] = [];
    const promise = new Promise<Uint8Array>((resolve) => answers.push(resolve));
    const signals: (AbortSignal | undefined)[] = [];
    const io: FileIO = Object.assign(new MemoryFileIO(), {
      read: (_: string, options?: { readonly signal?: AbortSignal }) => {
        signals.push(options?.signal);
        return promise;
      },
    });
    const cache = new CachingFileIO(io);
    const controller = new AbortController();
    const readers = [1, 2].map(() => cache.read(a, { signal: controller.signal }));
    controller.abort();
    expect((await Promise.allSettled(readers)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
    const next = cache.read(a);
    expect(signals.map((signal) => signal?.aborted)).toEqual([true, false]);
    answers[0]!(new Uint8Array(3));
    expect(await next).toHaveLength(3);
  });

  it('knows what was written through it, and forgets what was deleted', async () => {
    const { io, reads } = await filled({});
    const cache = new CachingFileIO(io);
    const bytes = new Uint8Array(5).fill(1);
    await cache.write(a, bytes);
    bytes.fill(9);
    (await cache.read(a)).fill(9);
    expect(await cache.read(a)).toEqual(new Uint8Array(5).fill(1));
    expect(reads()).toEqual([]);
    await cache.delete([a]);
    expect(cache.size).toBe(0);
    await expect(cache.read(a)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const failing = new CachingFileIO(new MappedFileIO(io, { 's3://b/': 's3://other/' }));
    await expect(failing.write(a, bytes, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(failing.size).toBe(0);
  });

  it('is one for all who share a FileIO', async () => {
    const { io, reads } = await filled({ [a]: 1 });
    await withCache(io).read(a);
    await withCache(io).read(a);
    expect(reads()).toEqual([a]);
    expect(withCache(withCache(io))).toBe(withCache(io));
    const own = new CachingFileIO(io, { maxBytes: 10 });
    expect(withCache(own)).toBe(own);
    const mapped = new MappedFileIO(io, { 's3://b/': 's3://none/' });
    await expect(withCache(mapped).read(a)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
