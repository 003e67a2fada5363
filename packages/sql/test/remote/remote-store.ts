import type {
  DeleteResult,
  FileData,
  FileIO,
  FileIOCapabilities,
  FileStat,
  IOOptions,
  ReadOptions,
  WriteOptions,
} from '@lh/core';

/** Files that are somewhere else as far as anyone can tell, and how often they were read. */
export class RemoteStore implements FileIO {
  readonly capabilities: FileIOCapabilities;
  readonly reads: { readonly location: string; readonly offset: number; readonly length: number }[] = [];
  /** Called before each read. */
  beforeRead: (location: string) => Promise<void> = () => Promise.resolve();
  readonly #io: FileIO;

  constructor(io: FileIO) {
    this.#io = io;
    const { conditionalCreate, maxDeleteBatch } = io.capabilities;
    this.capabilities = { conditionalCreate, maxDeleteBatch };
  }

  async read(location: string, options: ReadOptions = {}): Promise<Uint8Array> {
    await this.beforeRead(location);
    const bytes = await this.#io.read(location, options);
    this.reads.push({ location, offset: options.offset ?? 0, length: bytes.length });
    return bytes;
  }

  stat(location: string, options?: IOOptions): Promise<FileStat | null> {
    return this.#io.stat(location, options);
  }

  write(location: string, data: FileData, options?: WriteOptions): Promise<FileStat> {
    return this.#io.write(location, data, options);
  }

  list(prefix: string, options?: IOOptions): AsyncIterable<FileStat> {
    return this.#io.list(prefix, options);
  }

  delete(locations: readonly string[], options?: IOOptions): Promise<DeleteResult> {
    return this.#io.delete(locations, options);
  }
}
