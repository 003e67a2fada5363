/**
 * Everything that differs from one run to the next: time, randomness, waiting. Code takes a `Runtime` instead of
 * calling `Date.now()` or `Math.random()`, so that a test can replay any interleaving from a seed.
 */
export interface Runtime {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Fills and returns the given bytes. */
  randomBytes(length: number): Uint8Array;
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** How many files are read or written at the same time by one operation. */
  readonly concurrency: number;
}

export const systemRuntime: Runtime = {
  now: () => Date.now(),
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
        resolve();
      };
      const aborted = () => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(done, milliseconds);
      signal?.addEventListener('abort', aborted, { once: true });
    }),
  concurrency: 8,
};

/** A random (version 4) UUID in canonical text form. */
export function randomUuid(runtime: Runtime): string {
  const bytes = runtime.randomBytes(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [8, 12, 16, 20, 32].map((end, i) => hex.slice([0, 8, 12, 16, 20][i], end)).join('-');
}

/** A number in [0, 1). */
export function randomFraction(runtime: Runtime): number {
  const bytes = runtime.randomBytes(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32;
}

/** A positive 63-bit id, as snapshots have it. */
export function randomSnapshotId(runtime: Runtime): bigint {
  const bytes = runtime.randomBytes(8);
  const id = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0) & 0x7fff_ffff_ffff_ffffn;
  return id === 0n ? 1n : id;
}
