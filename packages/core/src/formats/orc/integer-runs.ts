import { invalidData } from '../../errors.ts';
import { signed, type ByteInput } from './byte-input.ts';

/** Integers of either run length encoding (ORC specification: "Integer Run Length Encoding, version 1" and "2"). */
export class IntegerRuns {
  readonly #input: ByteInput;
  readonly #isSigned: boolean;
  readonly #readRun: (run: RunReader) => void;
  readonly #run: RunReader;

  constructor(input: ByteInput, options: { readonly isSigned: boolean; readonly version: 1 | 2 }) {
    this.#input = input;
    this.#isSigned = options.isSigned;
    this.#readRun = options.version === 1 ? readRun1 : readRun2;
    this.#run = new RunReader(this.#input, this.#isSigned);
  }

  /** INVALID_DATA if a double can't hold it. */
  next(): number {
    const run = this.#run;
    if (run.at === run.length) this.#next();
    if (!run.isWide) return run.small[run.at++]!;
    const value = Number(run.wide[run.at++]!);
    if (!Number.isSafeInteger(value)) throw invalidData(`the number ${value} is out of range`);
    return value;
  }

  nextLong(): bigint {
    const run = this.#run;
    if (run.at === run.length) this.#next();
    return run.isWide ? run.wide[run.at++]! : BigInt(run.small[run.at++]!);
  }

  #next(): void {
    this.#run.clear();
    this.#readRun(this.#run);
  }
}

/** Version 2 has runs of this many at most. */
const MAX_RUN = 512;

/** A run as it is read: as doubles where they are exact, as bigints otherwise. */
class RunReader {
  readonly input: ByteInput;
  readonly isSigned: boolean;
  readonly small: Float64Array = new Float64Array(MAX_RUN);
  readonly wide: BigInt64Array = new BigInt64Array(MAX_RUN);
  isWide = false;
  length = 0;
  at = 0;
  /** Bits of the last byte that have not been taken. */
  #bits = 0;
  #bitsLeft = 0;

  constructor(input: ByteInput, isSigned: boolean) {
    this.input = input;
    this.isSigned = isSigned;
  }

  clear(): void {
    this.isWide = false;
    this.length = 0;
    this.at = 0;
    this.#bitsLeft = 0;
  }

  /** A varint, signed if the column is. */
  varint(): number | bigint {
    const value = this.input.varint();
    return this.isSigned ? signed(value) : value;
  }

  /** Big-endian bytes. */
  bigEndian(bytes: number): number | bigint {
    return this.bits(8 * bytes);
  }

  /** A number packed into so many bits, the most significant first; a bigint if a double may not hold it. */
  bits(width: number): number | bigint {
    if (width <= MAX_SMALL_BITS) return this.#smallBits(width);
    const high = this.#smallBits(width - 32);
    return (BigInt(high) << 32n) | BigInt(this.#smallBits(32));
  }

  #smallBits(width: number): number {
    let value = 0;
    for (let left = width; left > 0;) {
      if (this.#bitsLeft === 0) {
        this.#bits = this.input.byte();
        this.#bitsLeft = 8;
      }
      const taken = Math.min(left, this.#bitsLeft);
      this.#bitsLeft -= taken;
      value = value * (1 << taken) + ((this.#bits >> this.#bitsLeft) & ((1 << taken) - 1));
      left -= taken;
    }
    return value;
  }

  /** Packed numbers begin at a byte. */
  align(): void {
    this.#bitsLeft = 0;
  }

  /** Appends a value; the first one that a double can't hold makes the whole run wide. */
  put(value: number | bigint): void {
    if (!this.isWide && typeof value === 'number' && Number.isSafeInteger(value)) {
      this.small[this.length++] = value;
      return;
    }
    if (!this.isWide) {
      for (let i = 0; i < this.length; i++) this.wide[i] = BigInt(this.small[i]!);
      this.isWide = true;
    }
    this.wide[this.length++] = BigInt(value);
  }
}

const MAX_SMALL_BITS = 48;

const MIN_RUN_1 = 3;

/** A run: its length, a delta, its first value; or literals. */
function readRun1(run: RunReader): void {
  const control = run.input.byte();
  if (control >= 0x80) {
    for (let i = 0x100 - control; i > 0; i--) run.put(run.varint());
    return;
  }
  const delta = (run.input.byte() << 24) >> 24;
  const base = run.varint();
  for (let i = 0; i < control + MIN_RUN_1; i++) run.put(add(base, delta * i));
}

/** Sums wrap around at 64 bits. */
function add(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a + b)) return a + b;
  return BigInt.asIntN(64, BigInt(a) + BigInt(b));
}

function readRun2(run: RunReader): void {
  const header = run.input.byte();
  READERS_2[header >> 6]!(run, header);
}

/** By the upper two bits of the first byte. */
const READERS_2: readonly ((run: RunReader, header: number) => void)[] = [
  readShortRepeat,
  readDirect,
  readPatchedBase,
  readDelta,
];

const MIN_REPEAT = 3;

function readShortRepeat(run: RunReader, header: number): void {
  const raw = run.bigEndian(((header >> 3) & 7) + 1);
  const value = run.isSigned ? signed(raw) : raw;
  for (let i = 0; i < (header & 7) + MIN_REPEAT; i++) run.put(value);
}

/** The widths that five bits stand for. */
const WIDTHS: readonly number[] = Array.from({ length: 24 }, (_, i) => i + 1).concat([26, 28, 30, 32, 40, 48, 56, 64]);

const widthOf = (header: number): number => WIDTHS[(header >> 1) & 0x1f]!;
const lengthOf = (run: RunReader, header: number): number => (((header & 1) << 8) | run.input.byte()) + 1;

function readDirect(run: RunReader, header: number): void {
  const width = widthOf(header);
  const length = lengthOf(run, header);
  for (let i = 0; i < length; i++) {
    const raw = run.bits(width);
    run.put(run.isSigned ? signed(raw) : raw);
  }
}

/** Most values need few bits above a base; the few that need more get them from a list of patches. */
function readPatchedBase(run: RunReader, header: number): void {
  const width = widthOf(header);
  const length = lengthOf(run, header);
  const third = run.input.byte();
  const fourth = run.input.byte();
  const base = signAndMagnitude(run.bigEndian((third >> 5) + 1), 8 * ((third >> 5) + 1));
  const patchWidth = WIDTHS[third & 0x1f]!;
  const gapWidth = (fourth >> 5) + 1;
  const values = Array.from({ length }, () => run.bits(width));
  run.align();
  const packed = WIDTHS.find((candidate) => candidate >= patchWidth + gapWidth);
  if (packed === undefined) throw invalidData('a patch has more than 64 bits');
  let at = 0;
  for (let i = fourth & 0x1f; i > 0; i--) {
    const entry = BigInt(run.bits(packed));
    at += Number(entry >> BigInt(patchWidth));
    if (at >= length) throw invalidData('a patch is for no value');
    const patch = entry & ((1n << BigInt(patchWidth)) - 1n);
    values[at] = BigInt(values[at]!) | (patch << BigInt(width));
  }
  for (const value of values) run.put(narrow(add(base, value)));
}

/** The first bit is the sign. */
function signAndMagnitude(value: number | bigint, width: number): number | bigint {
  const sign = 1n << BigInt(width - 1);
  const long = BigInt(value);
  return narrow((long & sign) === 0n ? long : -(long & (sign - 1n)));
}

function narrow(value: number | bigint): number | bigint {
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** A base, the first delta, and the further deltas' magnitudes: they all have the sign of the first. */
function readDelta(run: RunReader, header: number): void {
  // A width of zero, which is no other width's code here, says that all deltas are the first one.
  const width = ((header >> 1) & 0x1f) === 0 ? 0 : widthOf(header);
  const length = lengthOf(run, header);
  let value = run.varint();
  const delta = signed(run.input.varint());
  run.put(narrow(value));
  for (let i = 1; i < length; i++) {
    if (i === 1 || width === 0) value = add(value, delta);
    else value = add(value, delta < 0 ? negated(run.bits(width)) : run.bits(width));
    run.put(narrow(value));
  }
}

function negated(value: number | bigint): number | bigint {
  return typeof value === 'bigint' ? -value : -value;
}
