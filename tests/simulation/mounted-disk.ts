import type { SimulatedDisk } from './simulated-disk.ts';

/** The disk that `node:fs/promises` is about, in tests that replace it by `simulatedFileSystem`. */
export const mountedDisk: { current: SimulatedDisk | null } = { current: null };

const CALLS = ['open', 'stat', 'mkdir', 'unlink', 'link', 'rename', 'readdir', 'realpath'] as const;

type Call = (...parameters: never[]) => unknown;

/** Stands for `node:fs/promises`, as far as `@lh/io-fs` uses it. */
export const simulatedFileSystem = Object.fromEntries(
  CALLS.map((name) => [
    name,
    (...parameters: never[]) => {
      if (mountedDisk.current === null) throw new Error('There is no simulated disk.');
      return (mountedDisk.current[name] as Call)(...parameters);
    },
  ]),
);
