import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { checkedFooter, partialFile, readFooterBytes } from '@lh/core/engine';
import type { ParquetFooter } from '@lh/core/engine';
import { readSome } from '../remote/cache-file.ts';
import { evenRuns } from './even-runs.ts';

export interface FilePart {
  readonly path: string;
  readonly rows: number;
}

/**
 * Cuts a Parquet file of the local disk into several of about a size, between row groups: nothing is encoded again, and
 * rows stay in their order. The file is gone then. One part, the file itself, if it can't be cut. Bloom filters get lost.
 */
export async function splitFile(
  path: string,
  partBytes: number,
  pathOf: (part: number) => string,
): Promise<readonly FilePart[]> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const footer = await readFooter(file, path, size);
    const runs = rowGroupRuns(footer, Math.max(1, Math.round(size / partBytes)));
    if (runs.length === 1) return [{ path, rows: rowsOf(footer, runs[0]!) }];
    const parts: FilePart[] = [];
    for (const run of runs) {
      const part = pathOf(parts.length);
      await writePart(file, footer, run, part);
      parts.push({ path: part, rows: rowsOf(footer, run) });
    }
    await rm(path);
    return parts;
  } finally {
    await file.close();
  }
}

async function readFooter(file: FileHandle, path: string, size: number): Promise<ParquetFooter> {
  const io = {
    read: (
      _: string,
      { offset = 0, length = size - offset }: { readonly offset?: number; readonly length?: number } = {},
    ) => readSome(file, offset, length),
  };
  return checkedFooter(await readFooterBytes(io, path, size), path, size);
}

/** Row groups that follow each other, in so many runs of about the same size, or as many as there are. */
function rowGroupRuns({ rowGroups }: ParquetFooter, count: number): readonly (readonly number[])[] {
  const sizes = rowGroups.map(({ columns }) => columns.reduce((sum, { compressedSize }) => sum + compressedSize, 0));
  return evenRuns(sizes, count);
}

function rowsOf({ rowGroups }: ParquetFooter, run: readonly number[]): number {
  return run.reduce((sum, i) => sum + rowGroups[i]!.rowCount, 0);
}

const MAGIC = Buffer.from('PAR1');
const COPY_BYTES = 4 * 2 ** 20;

async function writePart(file: FileHandle, footer: ParquetFooter, run: readonly number[], path: string): Promise<void> {
  const leaves = footer.rowGroups[run[0]!]!.columns.map((_, leaf) => leaf);
  const { chunks, end, endAt } = partialFile(footer, run, leaves, MAGIC.length);
  const part = await open(path, 'wx');
  try {
    await part.write(MAGIC, 0, MAGIC.length, 0);
    for (const { offset, length, at } of chunks) {
      for (let done = 0; done < length; done += COPY_BYTES) {
        const bytes = await readSome(file, offset + done, Math.min(COPY_BYTES, length - done));
        await part.write(bytes, 0, bytes.length, at + done);
      }
    }
    await part.write(end, 0, end.length, endAt);
  } finally {
    await part.close();
  }
}
