import type { Handle, SimulatedDisk } from './simulated-disk.ts';

/** The disk that Node's file system modules are about, in tests that replace them. */
export const mountedDisk: { current: SimulatedDisk | null } = { current: null };

function disk(): SimulatedDisk {
  if (mountedDisk.current === null) throw new Error('There is no simulated disk.');
  return mountedDisk.current;
}

const CALLS = ['stat', 'mkdir', 'unlink', 'link', 'rename', 'readdir', 'realpath'] as const;

type Call = (...parameters: never[]) => unknown;

/** Stands for `node:fs/promises`, as far as `@lh/io-fs` uses it. */
export const simulatedFileSystem = Object.fromEntries(
  CALLS.map((name) => [name, (...parameters: never[]) => (disk()[name] as Call)(...parameters)]),
);

type Done<T> = (error: unknown, result?: T) => void;

function handleOf(descriptor: number): Handle {
  const handle = disk().handles.get(descriptor);
  if (handle === undefined) throw new Error(`The file descriptor ${descriptor} is not open.`);
  return handle;
}

async function answer<T>(result: Promise<T>, done: Done<T>): Promise<void> {
  const [answered] = await Promise.allSettled([result]);
  if (answered.status === 'fulfilled') done(null, answered.value);
  else done(answered.reason);
}

/** Stands for what `@lh/io-fs` uses of `node:fs`: the calls on file descriptors. */
export const simulatedDescriptors = {
  open(path: string, flags: string, done: Done<number>): void {
    void answer(disk().open(path, flags), done);
  },
  read(file: number, target: Uint8Array, at: number, length: number, from: number, done: Done<number>): void {
    void answer(handleOf(file).read(target, at, length, from), done);
  },
  write(file: number, bytes: Uint8Array, at: number, length: number, _from: null, done: Done<number>): void {
    void answer(handleOf(file).write(bytes, at, length), done);
  },
  fsync(file: number, done: Done<void>): void {
    void answer(handleOf(file).sync(), done);
  },
  close(file: number, done: Done<void>): void {
    simulatedDescriptors.closeSync(file);
    void answer(Promise.resolve(), done);
  },
  closeSync(file: number): void {
    if (!disk().handles.delete(file)) throw new Error(`The file descriptor ${file} is closed twice.`);
  },
  fstatSync: (file: number): unknown => handleOf(file).stats(),
};
