import type { Machine } from './machine.ts';

/** Calls that need space. */
const WRITING: ReadonlySet<string> = new Set(['write', 'mkdir', 'link', 'rename', 'sync']);

/**
 * A disk as POSIX promises it and no better: what was not synced is in the page cache, and a power failure takes any part
 * of it away. The bytes of a file count as written when the file was synced, a name when its directory was.
 */
export class SimulatedDisk {
  /** Files and directories that are open, by their descriptors. */
  readonly handles = new Map<number, Handle>();
  readonly #machine: Machine;
  readonly #root = new Directory();
  #opened = 0;

  readonly #ignoresSyncOf: 'files' | 'directories' | undefined;

  constructor(machine: Machine, ignoresSyncOf?: 'files' | 'directories') {
    this.#machine = machine;
    this.#ignoresSyncOf = ignoresSyncOf;
  }

  /** The power goes off and on: of everything that was not synced, any part may be gone. */
  fail(): void {
    this.#root.afterPowerFailure((bound) => this.#machine.runtime.randomInteger(bound));
  }

  // --- system calls, by the names that Node has for them ------------------------------------------------------------

  open = (path: string, flags: string): Promise<number> =>
    this.#call('open', () => {
      const { directory, name } = this.#parent(path);
      const found = name === '' ? directory : directory.names.get(name);
      if (flags === 'wx') {
        if (found) throw systemError('EEXIST', path);
        const file = new File(this.#machine.runtime.now());
        directory.set(name, file);
        return this.#descriptor(file);
      }
      if (!found) throw systemError('ENOENT', path);
      return this.#descriptor(found);
    });

  stat = (path: string): Promise<Stats> =>
    this.#call('stat', () => {
      const found = this.#find(path);
      if (!found) throw systemError('ENOENT', path);
      return statsOf(found);
    });

  mkdir = (path: string): Promise<void> =>
    this.#call('mkdir', () => {
      const { directory, name } = this.#parent(path);
      if (directory.names.has(name)) throw systemError('EEXIST', path);
      directory.set(name, new Directory());
    });

  unlink = (path: string): Promise<void> =>
    this.#call('unlink', () => {
      const { directory, name } = this.#parent(path);
      if (!(directory.names.get(name) instanceof File)) throw systemError('ENOENT', path);
      directory.set(name, null);
    });

  link = (from: string, to: string): Promise<void> =>
    this.#call('link', () => {
      const file = this.#find(from);
      const { directory, name } = this.#parent(to);
      if (!(file instanceof File)) throw systemError('ENOENT', from);
      if (directory.names.has(name)) throw systemError('EEXIST', to);
      directory.set(name, file);
    });

  rename = (from: string, to: string): Promise<void> =>
    this.#call('rename', () => {
      const file = this.#find(from);
      const [source, target] = [this.#parent(from), this.#parent(to)];
      if (!(file instanceof File)) throw systemError('ENOENT', from);
      target.directory.set(target.name, file);
      source.directory.set(source.name, null);
    });

  readdir = (path: string): Promise<readonly Dirent[]> =>
    this.#call('readdir', () => {
      const directory = this.#find(path);
      if (!(directory instanceof Directory)) throw systemError('ENOENT', path);
      return [...directory.names].map(([name, node]) => ({
        name,
        isDirectory: () => node instanceof Directory,
        isFile: () => node instanceof File,
        isSymbolicLink: () => false,
      }));
    });

  realpath = (path: string): Promise<string> => Promise.resolve(path);

  // ------------------------------------------------------------------------------------------------------------------

  #call<T>(name: string, run: () => T): Promise<T> {
    const machine = this.#machine;
    return machine.call(() => {
      if (machine.isOut(name === 'unlink')) throw systemError('EIO', name);
      if (machine.outageBegins()) {
        run();
        throw systemError('EIO', name);
      }
      if (machine.strikes('system call failed')) throw systemError('EIO', name);
      if (WRITING.has(name) && machine.strikes('disk full')) throw systemError('ENOSPC', name);
      return run();
    });
  }

  #descriptor(node: File | Directory): number {
    this.handles.set(++this.#opened, this.#handle(node));
    return this.#opened;
  }

  #handle(node: File | Directory): Handle {
    return {
      read: (target, offset, length, position) =>
        this.#call('read', () => {
          const bytes = fileOf(node).bytes.subarray(position, position + length);
          target.set(bytes, offset);
          return bytes.length;
        }),
      write: (bytes, offset, length) =>
        this.#call('write', () => {
          // A write may take less than it was given.
          const { randomInteger } = this.#machine;
          const bytesWritten = randomInteger(8) === 0 ? 1 + randomInteger(length) : length;
          fileOf(node).append(bytes.subarray(offset, offset + bytesWritten), this.#machine.runtime.now());
          return bytesWritten;
        }),
      sync: () =>
        this.#call('sync', () => {
          if (this.#ignoresSyncOf !== (node instanceof File ? 'files' : 'directories')) node.sync();
        }),
      stats: () => statsOf(node),
    };
  }

  #find(path: string): File | Directory | undefined {
    let node: File | Directory | undefined = this.#root;
    for (const name of path.split('/').filter(Boolean)) {
      if (!(node instanceof Directory)) return undefined;
      node = node.names.get(name);
    }
    return node;
  }

  #parent(path: string): { readonly directory: Directory; readonly name: string } {
    const names = path.split('/').filter(Boolean);
    const directory = this.#find(names.slice(0, -1).join('/'));
    if (!(directory instanceof Directory)) throw systemError('ENOENT', path);
    return { directory, name: names.at(-1) ?? '' };
  }
}

type RandomInteger = (bound: number) => number;

class File {
  bytes = new Uint8Array(0);
  mtimeMs: number;
  #synced = this.bytes;

  constructor(now: number) {
    this.mtimeMs = now;
  }

  append(bytes: Uint8Array, now: number): void {
    const all = new Uint8Array(this.bytes.length + bytes.length);
    all.set(this.bytes);
    all.set(bytes, this.bytes.length);
    this.bytes = all;
    this.mtimeMs = now;
  }

  sync(): void {
    this.#synced = this.bytes;
  }

  /** Of bytes that were not synced, any may be there. */
  afterPowerFailure(random: RandomInteger): void {
    const unsynced = this.bytes.length - this.#synced.length;
    if (unsynced > 0) this.bytes = this.bytes.slice(0, this.#synced.length + random(unsynced + 1));
    this.#synced = this.bytes;
  }
}

class Directory {
  readonly names = new Map<string, File | Directory>();
  readonly mtimeMs = 0;
  #synced = new Map<string, File | Directory>();

  set(name: string, node: File | Directory | null): void {
    if (node === null) this.names.delete(name);
    else this.names.set(name, node);
  }

  sync(): void {
    this.#synced = new Map(this.names);
  }

  /** Of names that were given or taken since the last sync, any may be as before. */
  afterPowerFailure(random: RandomInteger): void {
    const changed = [...new Set([...this.names.keys(), ...this.#synced.keys()])].filter(
      (name) => this.names.get(name) !== this.#synced.get(name),
    );
    for (const name of changed) if (random(2) === 0) this.set(name, this.#synced.get(name) ?? null);
    this.sync();
    for (const node of this.names.values()) node.afterPowerFailure(random);
  }
}

interface Stats {
  readonly size: number;
  readonly mtimeMs: number;
  readonly nlink: number;
  isFile(): boolean;
  isDirectory(): boolean;
}

interface Dirent {
  readonly name: string;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** An open file or directory. Reading and writing tell how many bytes of what was asked for they did. */
export interface Handle {
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  write(bytes: Uint8Array, offset: number, length: number): Promise<number>;
  sync(): Promise<void>;
  stats(): Stats;
}

function statsOf(node: File | Directory): Stats {
  const isFile = node instanceof File;
  return {
    size: isFile ? node.bytes.length : 0,
    mtimeMs: node.mtimeMs,
    nlink: 1,
    isFile: () => isFile,
    isDirectory: () => !isFile,
  };
}

function fileOf(node: File | Directory): File {
  if (node instanceof File) return node;
  throw systemError('EISDIR', 'a directory');
}

export function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: simulated, '${path}'`), { code, syscall: 'simulated', path });
}
