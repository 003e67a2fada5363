/** Positions that share their upper bits, as Roaring has them: a sorted list, a bit each, or runs. */
export type Container = ArrayContainer | BitsContainer | RunsContainer;

interface ArrayContainer {
  readonly kind: 'array';
  /** Ascending; only the first `count` count. */
  readonly values: Uint16Array;
  count: number;
}

interface BitsContainer {
  readonly kind: 'bits';
  /** `CONTAINER_SIZE` bits, the lowest of each byte first. */
  readonly bits: Uint8Array;
  count: number;
}

interface RunsContainer {
  readonly kind: 'runs';
  /** Pairs of a run's first value and its length less one, ascending, apart from each other. */
  readonly runs: Uint16Array;
  readonly count: number;
}

/** How many positions a container is for. */
export const CONTAINER_SIZE: number = 1 << 16;
/** A list with more values than this would be larger than bits. */
export const MAX_ARRAY_VALUES = 4096;
export const BITS_BYTES: number = CONTAINER_SIZE / 8;

/** What a container costs besides its values: an estimate of objects and a map's entry. */
const CONTAINER_OVERHEAD = 200;

/**
 * A set of row positions, 0 to 2^53 - 1: a Roaring bitmap in memory. Built for the question "which of these consecutive
 * rows are in it", which costs no more than there are positions in the range.
 */
export class PositionBitmap {
  /** By the positions' upper bits, position / CONTAINER_SIZE. None is empty. */
  readonly #containers = new Map<number, Container>();

  /** From containers that are not empty, by the positions' upper bits. */
  static of(containers: Iterable<readonly [key: number, container: Container]>): PositionBitmap {
    const bitmap = new PositionBitmap();
    for (const [key, container] of containers) bitmap.#containers.set(key, container);
    return bitmap;
  }

  /** How many positions there are. */
  get size(): number {
    let size = 0;
    for (const { count } of this.#containers.values()) size += count;
    return size;
  }

  /** Bytes in memory: an estimate. */
  get bytes(): number {
    let bytes = 0;
    for (const container of this.#containers.values()) bytes += CONTAINER_OVERHEAD + containerBytes(container);
    return bytes;
  }

  /** `position` must be a safe integer that isn't negative. Cheapest in ascending order. */
  add(position: number): void {
    const low = position % CONTAINER_SIZE;
    const key = (position - low) / CONTAINER_SIZE;
    const container = this.#containers.get(key);
    const changed = container === undefined ? singleton(low) : withValue(container, low);
    if (changed !== container) this.#containers.set(key, changed);
  }

  /** Adds all positions of another set, which stays as it is. */
  addAll(other: PositionBitmap): void {
    for (const [key, container] of other.#containers) {
      const own = this.#containers.get(key);
      this.#containers.set(key, own === undefined ? copyOf(container) : union(own, container));
    }
  }

  has(position: number): boolean {
    const low = position % CONTAINER_SIZE;
    const container = this.#containers.get((position - low) / CONTAINER_SIZE);
    if (container === undefined) return false;
    return markContainer(container, low, low + 1, new Uint8Array(1), -low);
  }

  /** Sets `flags[i]` to 1 where `first + i` is in the set; false if none is. */
  mark(first: number, flags: Uint8Array): boolean {
    const end = first + flags.length;
    let found = false;
    for (let key = Math.floor(first / CONTAINER_SIZE); key * CONTAINER_SIZE < end; key++) {
      const container = this.#containers.get(key);
      if (container === undefined) continue;
      const base = key * CONTAINER_SIZE;
      const from = Math.max(0, first - base);
      const to = Math.min(CONTAINER_SIZE, end - base);
      found = markContainer(container, from, to, flags, base - first) || found;
    }
    return found;
  }

  /** Containers by the positions' upper bits, ascending, each in the smallest form. */
  containers(): readonly (readonly [key: number, container: Container])[] {
    return this.#sorted().map(([key, container]) => [key, smallest(container)] as const);
  }

  #sorted(): readonly (readonly [key: number, container: Container])[] {
    return [...this.#containers].toSorted(([a], [b]) => a - b);
  }

  /** All positions, ascending. */
  *[Symbol.iterator](): Generator<number, void, undefined> {
    for (const [key, container] of this.#sorted()) {
      for (const value of valuesOf(container)) yield key * CONTAINER_SIZE + value;
    }
  }
}

function valuesOf(container: Container): Iterable<number> {
  switch (container.kind) {
    case 'array':
      return container.values.subarray(0, container.count);
    case 'bits':
      return compactBits(container).values;
    case 'runs':
      return valuesOfRuns(container.runs);
  }
}

function* valuesOfRuns(runs: Uint16Array): Generator<number, void, undefined> {
  for (const [first, last] of eachRun(runs)) for (let value = first; value <= last; value++) yield value;
}

function hasBit(bits: Uint8Array, value: number): boolean {
  return (bits[value >> 3]! & (1 << (value & 7))) !== 0;
}

/** Sets the flags, `shift` away, of the container's values from `from` to before `to`; false if there are none. */
function markContainer(container: Container, from: number, to: number, flags: Uint8Array, shift: number): boolean {
  switch (container.kind) {
    case 'array':
      return markArray(container, from, to, flags, shift);
    case 'bits':
      return markBits(container.bits, from, to, flags, shift);
    case 'runs':
      return markRuns(container.runs, from, to, flags, shift);
  }
}

function markArray(
  { values, count }: ArrayContainer,
  from: number,
  to: number,
  flags: Uint8Array,
  shift: number,
): boolean {
  const start = lowerBound(values, count, from);
  let i = start;
  for (; i < count && values[i]! < to; i++) flags[values[i]! + shift] = 1;
  return i > start;
}

function markBits(bits: Uint8Array, from: number, to: number, flags: Uint8Array, shift: number): boolean {
  let found = false;
  for (let i = from >> 3; i << 3 < to; i++) {
    const byte = bits[i]!;
    if (byte === 0) continue;
    for (let bit = 0; bit < 8; bit++) {
      const value = (i << 3) + bit;
      if ((byte & (1 << bit)) === 0 || value < from || value >= to) continue;
      flags[value + shift] = 1;
      found = true;
    }
  }
  return found;
}

function markRuns(runs: Uint16Array, from: number, to: number, flags: Uint8Array, shift: number): boolean {
  let found = false;
  for (let i = 0; i < runs.length; i += 2) {
    const start = Math.max(from, runs[i]!);
    const end = Math.min(to, runs[i]! + runs[i + 1]! + 1);
    if (start >= end) continue;
    flags.fill(1, start + shift, end + shift);
    found = true;
  }
  return found;
}

/** Where the first value that is not less than `value` is, or would be. */
function lowerBound(values: Uint16Array, count: number, value: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function singleton(value: number): Container {
  const values = new Uint16Array(4);
  values[0] = value;
  return { kind: 'array', values, count: 1 };
}

/** Adds a value in place, where there is room for it; gives the container to go on with. */
function withValue(container: Container, value: number): Container {
  switch (container.kind) {
    case 'array':
      return insert(container, value);
    case 'bits':
      if (!hasBit(container.bits, value)) container.count++;
      setBit(container.bits, value);
      return container;
    case 'runs':
      return withValue(compact(toBits(container)), value);
  }
}

function insert(container: ArrayContainer, value: number): Container {
  const { values, count } = container;
  const at = count === 0 || values[count - 1]! < value ? count : lowerBound(values, count, value);
  if (at < count && values[at] === value) return container;
  if (count === MAX_ARRAY_VALUES) return withValue(toBits(container), value);
  const roomy = count < values.length ? container : withRoom(container);
  if (at < count) roomy.values.copyWithin(at + 1, at, count);
  roomy.values[at] = value;
  roomy.count++;
  return roomy;
}

function withRoom({ values, count }: ArrayContainer): ArrayContainer {
  const larger = new Uint16Array(Math.min(MAX_ARRAY_VALUES, 2 * count));
  larger.set(values);
  return { kind: 'array', values: larger, count };
}

/** Lists and bits are added to in place. */
function copyOf(container: Container): Container {
  switch (container.kind) {
    case 'array':
      return { ...container, values: container.values.slice() };
    case 'bits':
      return { ...container, bits: container.bits.slice() };
    case 'runs':
      return container;
  }
}

/** The same values as bits of their own. */
function toBits(container: Container): BitsContainer {
  const bits = container.kind === 'bits' ? container.bits.slice() : new Uint8Array(BITS_BYTES);
  if (container.kind === 'array') {
    for (let i = 0; i < container.count; i++) setBit(bits, container.values[i]!);
  } else if (container.kind === 'runs') {
    for (const [first, last] of eachRun(container.runs))
      for (let value = first; value <= last; value++) setBit(bits, value);
  }
  return { kind: 'bits', bits, count: container.count };
}

function setBit(bits: Uint8Array, value: number): void {
  bits[value >> 3]! |= 1 << (value & 7);
}

/** First and last value of each run. */
export function* eachRun(runs: Uint16Array): Generator<readonly [first: number, last: number]> {
  for (let i = 0; i < runs.length; i += 2) yield [runs[i]!, runs[i]! + runs[i + 1]!];
}

function union(a: Container, b: Container): Container {
  const [{ bits }, other] = [toBits(a), toBits(b)];
  for (let i = 0; i < BITS_BYTES; i++) bits[i]! |= other.bits[i]!;
  return compact({ kind: 'bits', bits, count: countBits(bits) });
}

export function countBits(bits: Uint8Array): number {
  let count = 0;
  for (const byte of bits) for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** A list instead of bits where that is smaller. */
function compact(container: BitsContainer): Container {
  return container.count > MAX_ARRAY_VALUES ? container : compactBits(container);
}

function compactBits({ bits, count }: BitsContainer): ArrayContainer {
  const values = new Uint16Array(count);
  let i = 0;
  forEachBit(bits, (value) => (values[i++] = value));
  return { kind: 'array', values, count };
}

function forEachBit(bits: Uint8Array, visit: (value: number) => void): void {
  for (let i = 0; i < bits.length; i++) {
    for (let rest = bits[i]!; rest !== 0; rest &= rest - 1) visit((i << 3) + 31 - Math.clz32(rest & -rest));
  }
}

/** Runs instead of a list or bits where they are smaller. */
function smallest(container: Container): Container {
  if (container.kind === 'runs') return container;
  const runs = runsOf(container);
  // Runs are stored after their number.
  if (runs.byteLength + 2 >= storedBytes(container)) return container;
  return { kind: 'runs', runs, count: container.count };
}

function runsOf(container: ArrayContainer | BitsContainer): Uint16Array {
  const pairs: number[] = [];
  let [first, last] = [-2, -2];
  const add = (value: number): void => {
    if (value !== last + 1) {
      if (first >= 0) pairs.push(first, last - first);
      first = value;
    }
    last = value;
  };
  if (container.kind === 'bits') forEachBit(container.bits, add);
  else for (let i = 0; i < container.count; i++) add(container.values[i]!);
  if (first >= 0) pairs.push(first, last - first);
  return Uint16Array.from(pairs);
}

/** Bytes of the values in the serialized form. */
function storedBytes(container: ArrayContainer | BitsContainer): number {
  return container.kind === 'array' ? 2 * container.count : BITS_BYTES;
}

function containerBytes(container: Container): number {
  switch (container.kind) {
    case 'array':
      return container.values.byteLength;
    case 'bits':
      return container.bits.byteLength;
    case 'runs':
      return container.runs.byteLength;
  }
}
