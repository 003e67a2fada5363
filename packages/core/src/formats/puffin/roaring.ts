import { concatBytes } from '../../spec/concat-bytes.ts';
import { BITS_BYTES, CONTAINER_SIZE, MAX_ARRAY_VALUES, PositionBitmap, countBits, eachRun } from './position-bitmap.ts';
import type { Container } from './position-bitmap.ts';

/**
 * The portable serialization of 64-bit Roaring bitmaps (RoaringFormatSpec): a count, then 32-bit bitmaps by their key,
 * the upper half of the positions. All little-endian, as this process is.
 */

/** Starts a 32-bit bitmap with runs; the number of containers less one is in its upper half. */
const COOKIE = 12347;
/** Starts one without runs; the number of containers follows. */
const COOKIE_WITHOUT_RUNS = 12346;
/** With runs, and fewer containers than this, there is no table of the containers' places. */
const MIN_CONTAINERS_WITH_OFFSETS = 4;
/** Containers of one 32-bit bitmap. */
const MAX_CONTAINERS = 1 << 16;
/** 32-bit bitmaps from this key on are about positions past 2^53. */
const MAX_KEY = 1 << 21;

/** Throws, in any way, for bytes that aren't a bitmap of positions below 2^53, no more and no less. */
export function decodeRoaring(bytes: Uint8Array): PositionBitmap {
  const reader = new Reader(bytes);
  const bitmaps = reader.uint64();
  const containers: (readonly [number, Container])[] = [];
  let lastKey = -1;
  for (let i = 0n; i < bitmaps; i++) {
    const key = reader.uint32();
    if (key <= lastKey) throw new Error('The keys are not in order.');
    if (key >= MAX_KEY) throw new Error('A position is past 2^53.');
    lastKey = key;
    readBitmap(reader, key * MAX_CONTAINERS, containers);
  }
  reader.expectEnd();
  return PositionBitmap.of(containers);
}

function readBitmap(reader: Reader, base: number, containers: (readonly [number, Container])[]): void {
  const cookie = reader.uint32();
  const withRuns = (cookie & 0xffff) === COOKIE;
  if (!withRuns && cookie !== COOKIE_WITHOUT_RUNS) throw new Error(`${cookie} does not start a bitmap.`);
  const count = withRuns ? (cookie >>> 16) + 1 : reader.uint32();
  if (count > MAX_CONTAINERS) throw new Error(`A bitmap has no ${count} containers.`);
  const runFlags = withRuns ? reader.bytes((count + 7) >> 3) : null;
  const header = reader.uint16s(2 * count);
  // Containers follow each other without a gap, so their places say nothing new.
  if (!withRuns || count >= MIN_CONTAINERS_WITH_OFFSETS) reader.bytes(4 * count);
  for (let i = 0; i < count; i++) {
    const key = header[2 * i]!;
    if (i > 0 && key <= header[2 * i - 2]!) throw new Error('The containers are not in order.');
    const isRuns = runFlags !== null && (runFlags[i >> 3]! & (1 << (i & 7))) !== 0;
    containers.push([base + key, readContainer(reader, header[2 * i + 1]! + 1, isRuns)]);
  }
}

function readContainer(reader: Reader, count: number, isRuns: boolean): Container {
  if (isRuns) {
    const runs = reader.uint16s(2 * reader.uint16s(1)[0]!);
    checkRuns(runs, count);
    return { kind: 'runs', runs, count };
  }
  if (count <= MAX_ARRAY_VALUES) {
    const values = reader.uint16s(count);
    for (let i = 1; i < count; i++) if (values[i]! <= values[i - 1]!) throw new Error('The values are not in order.');
    return { kind: 'array', values, count };
  }
  const bits = reader.bytes(BITS_BYTES);
  if (countBits(bits) !== count) throw new Error('A container does not have as many values as it says.');
  return { kind: 'bits', bits, count };
}

function checkRuns(runs: Uint16Array, count: number): void {
  let total = 0;
  let previous = -1;
  for (const [first, last] of eachRun(runs)) {
    if (first <= previous || last >= CONTAINER_SIZE) throw new Error('The runs are not in order.');
    total += last - first + 1;
    previous = last;
  }
  if (total !== count) throw new Error('A container does not have as many values as it says.');
}

export function encodeRoaring(bitmap: PositionBitmap): Uint8Array {
  const byKey = new Map<number, (readonly [number, Container])[]>();
  for (const entry of bitmap.containers()) {
    const key = Math.floor(entry[0] / MAX_CONTAINERS);
    const group = byKey.get(key);
    if (group) group.push(entry);
    else byKey.set(key, [entry]);
  }
  const parts: Uint8Array[] = [bytesOf(BigUint64Array.of(BigInt(byKey.size)))];
  for (const [key, containers] of byKey) parts.push(bytesOf(Uint32Array.of(key)), ...encodeBitmap(containers));
  return concatBytes(parts);
}

function encodeBitmap(entries: readonly (readonly [number, Container])[]): readonly Uint8Array[] {
  const count = entries.length;
  const runFlags = new Uint8Array((count + 7) >> 3);
  const header = new Uint16Array(2 * count);
  entries.forEach(([key, container], i) => {
    if (container.kind === 'runs') runFlags[i >> 3]! |= 1 << (i & 7);
    header[2 * i] = key % MAX_CONTAINERS;
    header[2 * i + 1] = container.count - 1;
  });
  const withRuns = entries.some(([, container]) => container.kind === 'runs');
  const start = withRuns
    ? [bytesOf(Uint32Array.of(COOKIE + (count - 1) * 2 ** 16)), runFlags]
    : [bytesOf(Uint32Array.of(COOKIE_WITHOUT_RUNS, count))];
  const parts = [...start, bytesOf(header)];
  const contents = entries.map(([, container]) => encodeContainer(container));
  if (!withRuns || count >= MIN_CONTAINERS_WITH_OFFSETS) {
    let offset = parts.reduce((sum, part) => sum + part.length, 4 * count);
    const offsets = contents.map((content) => (offset += content.length) - content.length);
    parts.push(bytesOf(Uint32Array.from(offsets)));
  }
  return [...parts, ...contents];
}

function encodeContainer(container: Container): Uint8Array {
  switch (container.kind) {
    case 'array':
      return bytesOf(container.values.subarray(0, container.count));
    case 'bits':
      return container.bits;
    case 'runs':
      return concatBytes([bytesOf(Uint16Array.of(container.runs.length / 2)), bytesOf(container.runs)]);
  }
}

function bytesOf(numbers: Uint16Array | Uint32Array | BigUint64Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/** Reads on from where it stopped; what it gives is its own memory. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  bytes(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Error('The bitmap is cut short.');
    const result = Uint8Array.from(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return result;
  }

  uint16s(count: number): Uint16Array {
    return new Uint16Array(this.bytes(2 * count).buffer);
  }

  uint32(): number {
    return new Uint32Array(this.bytes(4).buffer)[0]!;
  }

  uint64(): bigint {
    return new BigUint64Array(this.bytes(8).buffer)[0]!;
  }

  expectEnd(): void {
    if (this.#at !== this.#bytes.length) throw new Error('There are bytes after the bitmap.');
  }
}
