import { fileURLToPath } from 'node:url';

import type { RowLevelMode } from '@lh/core';
import type { S3FileIOOptions } from '@lh/io-s3';

import { ScriptProcess } from './script-process.ts';

const script = fileURLToPath(new URL('writer-process.mjs', import.meta.url));

/** What a writer can be told to do, each as a commit of its own. */
export type Operation =
  | { readonly kind: 'append'; readonly rows: readonly object[] }
  | { readonly kind: 'upsert' | 'increment'; readonly rows: readonly object[]; readonly mode: RowLevelMode }
  | { readonly kind: 'delete'; readonly filter: string; readonly mode: RowLevelMode }
  | { readonly kind: 'setProperty'; readonly key: string; readonly value: string }
  | { readonly kind: 'addColumn' | 'createTag'; readonly name: string };

/** A process that writes to a table. It starts before it is needed, and waits for its first operation. */
export class WriterProcess {
  readonly #process: ScriptProcess;

  /** On the local disk, or on S3 with the options given. */
  constructor(location: string, s3?: S3FileIOOptions) {
    this.#process = new ScriptProcess(script, [location], s3 && { LH_WRITER_S3: JSON.stringify(s3) });
  }

  /** How many operations it has said to be committed. */
  get acknowledged(): number {
    return Math.max(0, this.#process.lines - 1);
  }

  send(operations: readonly Operation[]): void {
    this.#process.write(operations.map((operation) => `${JSON.stringify(operation)}\n`).join(''));
  }

  /** Until it waits for operations. */
  ready(): Promise<void> {
    return this.#process.printed(1);
  }

  /** Until so many operations are committed. */
  done(operations: number): Promise<void> {
    return this.#process.printed(1 + operations);
  }

  /** kill -9; how many operations it has committed is known for good then, but for one. */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  /** Until everything it was told is done. */
  finished(): Promise<void> {
    return this.#process.finished();
  }
}
