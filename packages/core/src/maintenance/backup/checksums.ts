import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { FileIO } from '../../io/file-io.ts';

/** Hexadecimal. */
export type Sha256 = string;

export function sha256(bytes: Uint8Array): Sha256 {
  return createHash('sha256').update(bytes).digest('hex');
}

const PART_BYTES = 8 * 1024 * 1024;

/** Copies a file, a part of it at a time in memory, and gives the checksum of what was read. */
export async function copyFile(
  from: { readonly io: FileIO; readonly location: string; readonly size: number },
  to: { readonly io: FileIO; readonly location: string },
  signal: AbortSignal | undefined,
): Promise<Sha256> {
  const hash = createHash('sha256');
  const aborted = signal ? { signal } : {};
  await to.io.write(to.location, hashedParts(from, hash, aborted), aborted);
  return hash.digest('hex');
}

/** The checksum of a file, a part of it at a time in memory. */
export async function checksumOf(
  from: { readonly io: FileIO; readonly location: string; readonly size: number },
  signal: AbortSignal | undefined,
): Promise<Sha256> {
  const hash = createHash('sha256');
  for await (const _ of hashedParts(from, hash, signal ? { signal } : {}));
  return hash.digest('hex');
}

async function* hashedParts(
  { io, location, size }: { readonly io: FileIO; readonly location: string; readonly size: number },
  hash: Hash,
  aborted: { readonly signal?: AbortSignal },
): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < size; offset += PART_BYTES) {
    const bytes = await io.read(location, { offset, length: Math.min(PART_BYTES, size - offset), ...aborted });
    hash.update(bytes);
    yield bytes;
  }
}
