import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileIO, FileStat } from '@lh/core';
import type { DataFileOptions } from '@lh/core/engine';
import { readSome } from '../remote/cache-file.ts';

/** Whether staged files are moved to their places; else they are uploaded. */
export function isMovedIn({ moveIn, capabilities }: FileIO): boolean {
  return moveIn !== undefined && capabilities.localPath !== undefined;
}

/**
 * Where DuckDB writes files before they get their places. On a local disk it is a directory beside the table's data, so
 * that files are moved by their names alone; for any other store they are made below the system's directory for
 * temporary files and uploaded.
 */
export class Staging {
  readonly #path: string;
  readonly #options: DataFileOptions;
  readonly #isLocal: boolean;

  private constructor(path: string, options: DataFileOptions, isLocal: boolean) {
    this.#path = path;
    this.#options = options;
    this.#isLocal = isLocal;
  }

  static async open(options: DataFileOptions, operationId: string): Promise<Staging> {
    const { io, locationFor } = options;
    const { localPath } = io.capabilities;
    const marker = isMovedIn(io) ? `${locationFor(`00000-0-${operationId}-staging`, '')}/started` : null;
    const path = marker === null ? null : localPath!(marker);
    if (marker === null || path === null) {
      return new Staging(await mkdtemp(join(tmpdir(), 'lakehouse-write-')), options, false);
    }
    // By writing a file the store makes the directories, and makes them last.
    await io.write(marker, new Uint8Array(0));
    return new Staging(join(path, '..'), options, true);
  }

  path(name: string): string {
    return join(this.#path, name);
  }

  /** Makes a staged file the one at a location. */
  async place(path: string, location: string): Promise<FileStat> {
    const { io, signal } = this.#options;
    const options = signal ? { signal } : {};
    if (this.#isLocal) return io.moveIn!(path, location, options);
    return io.write(location, createReadStream(path), options);
  }

  /** Reads a staged file that has its place: what was uploaded is still here. */
  reader(path: string): Pick<FileIO, 'read'> {
    if (this.#isLocal) return this.#options.io;
    return {
      read: async (_, { offset = 0, length = 0 } = {}) => {
        const file = await open(path);
        try {
          return await readSome(file, offset, length);
        } finally {
          await file.close();
        }
      },
    };
  }

  async remove(): Promise<void> {
    await rm(this.#path, { recursive: true, force: true });
  }
}
