import duckdb from '@duckdb/node-bindings';

/**
 * DuckDB's strings and blobs: 16 bytes each, of which four are the length. Up to 12 bytes of content follow inline;
 * longer content is behind a pointer. A call into the binding for every value would cost more than the copying, but
 * strings of one vector mostly lie side by side in its heap, so that whole runs of them are fetched at once.
 */
export class StringCopier {
  #bytes: Uint8Array;
  #offsets: Int32Array;
  #rows = 0;
  #structs: Uint8Array = new Uint8Array(0);
  #words: Uint32Array = new Uint32Array(0);

  constructor(capacity: number) {
    this.#offsets = new Int32Array(capacity + 1);
    this.#bytes = new Uint8Array(capacity * 16);
  }

  open(vector: duckdb.Vector, size: number): void {
    this.#structs = duckdb.vector_get_data(vector, size * STRUCT_BYTES);
    this.#words = new Uint32Array(this.#structs.buffer, this.#structs.byteOffset, size * 4);
  }

  /** Adds the values of rows `from` to `from + count`; nulls by the bitmap become empty. */
  copy(from: number, count: number, validity: Uint8Array | null): void {
    this.#makeRoom(from, count, validity);
    const long = new LongStrings();
    const words = this.#words;
    let end = this.#offsets[this.#rows]!;
    for (let row = from; row < from + count; row++) {
      if (validity === null || (validity[row >> 3]! >> (row & 7)) & 1) {
        const length = words[row * 4]!;
        if (length <= INLINE_BYTES) {
          const at = row * STRUCT_BYTES + 4;
          for (let i = 0; i < length; i++) this.#bytes[end + i] = this.#structs[at + i]!;
        } else {
          long.add(words[row * 4 + 2]! + words[row * 4 + 3]! * 2 ** 32, length, end);
        }
        end += length;
      }
      this.#offsets[++this.#rows] = end;
    }
    long.copyInto(this.#bytes);
  }

  finish(): { readonly offsets: Int32Array; readonly bytes: Uint8Array } {
    const end = this.#offsets[this.#rows]!;
    return { offsets: this.#offsets.subarray(0, this.#rows + 1), bytes: this.#bytes.subarray(0, end) };
  }

  /** Bytes collected so far. */
  get byteLength(): number {
    return this.#offsets[this.#rows]!;
  }

  #makeRoom(from: number, count: number, validity: Uint8Array | null): void {
    let needed = this.#offsets[this.#rows]!;
    for (let row = from; row < from + count; row++) {
      if (validity === null || (validity[row >> 3]! >> (row & 7)) & 1) needed += this.#words[row * 4]!;
    }
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#offsets[this.#rows]));
      this.#bytes = grown;
    }
    if (this.#rows + count + 1 > this.#offsets.length) {
      const grown = new Int32Array(Math.max(this.#rows + count + 1, this.#offsets.length * 2));
      grown.set(this.#offsets);
      this.#offsets = grown;
    }
  }
}

const STRUCT_BYTES = 16;
const INLINE_BYTES = 12;

/**
 * Memory between two strings is read along when the gap is smaller than a page: then it lies in the pages of the one
 * or the other, which are both mapped.
 */
const MAX_GAP = 4095;

/** Strings behind pointers, each with the place where its bytes go. */
class LongStrings {
  readonly #pointers: number[] = [];
  readonly #lengths: number[] = [];
  readonly #targets: number[] = [];
  #ascending = true;

  add(pointer: number, length: number, target: number): void {
    const last = this.#pointers.length - 1;
    if (last >= 0 && pointer < this.#pointers[last]! + this.#lengths[last]!) this.#ascending = false;
    this.#pointers.push(pointer);
    this.#lengths.push(length);
    this.#targets.push(target);
  }

  copyInto(bytes: Uint8Array): void {
    if (this.#pointers.length === 0) return;
    if (this.#ascending) this.#copyRuns(bytes);
    else this.#copyShared(bytes);
  }

  /** The usual order: each string behind the one before. */
  #copyRuns(bytes: Uint8Array): void {
    const [pointers, lengths, targets] = [this.#pointers, this.#lengths, this.#targets];
    for (let first = 0; first < pointers.length;) {
      let next = first + 1;
      let end = pointers[first]! + lengths[first]!;
      while (next < pointers.length && pointers[next]! - end <= MAX_GAP) end = pointers[next]! + lengths[next++]!;
      const start = pointers[first]!;
      const run = readMemory(start, end - start);
      for (let i = first; i < next;) {
        // Strings that are neighbours here and there go in one copy.
        let last = i;
        while (
          last + 1 < next &&
          pointers[last + 1] === pointers[last]! + lengths[last]! &&
          targets[last + 1] === targets[last]! + lengths[last]!
        ) {
          last++;
        }
        bytes.set(run.subarray(pointers[i]! - start, pointers[last]! + lengths[last]! - start), targets[i]);
        i = last + 1;
      }
      first = next;
    }
  }

  /** Values of a dictionary: many strings, few places. */
  #copyShared(bytes: Uint8Array): void {
    const [pointers, lengths, targets] = [this.#pointers, this.#lengths, this.#targets];
    const slotOf = new Map<number, number>();
    const slots = new Uint32Array(pointers.length);
    const longest: number[] = [];
    for (let i = 0; i < pointers.length; i++) {
      let slot = slotOf.get(pointers[i]!);
      if (slot === undefined) {
        slot = longest.length;
        slotOf.set(pointers[i]!, slot);
        longest.push(0);
      }
      slots[i] = slot;
      if (lengths[i]! > longest[slot]!) longest[slot] = lengths[i]!;
    }
    const found = readPlaces(slotOf, longest);
    for (let i = 0; i < pointers.length; i++) {
      const { memory, start } = found[slots[i]!]!;
      copyBytes(memory, start, lengths[i]!, bytes, targets[i]!);
    }
  }
}

interface Place {
  readonly memory: Uint8Array;
  readonly start: number;
}

/** The memory at each of the pointers, by slot. */
function readPlaces(slotOf: ReadonlyMap<number, number>, longest: readonly number[]): readonly Place[] {
  const found: Place[] = [];
  const places = Float64Array.from(slotOf.keys()).toSorted();
  for (let first = 0; first < places.length;) {
    let next = first;
    let end = places[first]!;
    do end = Math.max(end, places[next]! + longest[slotOf.get(places[next]!)!]!);
    while (++next < places.length && places[next]! - end <= MAX_GAP);
    const runStart = places[first]!;
    const memory = readMemory(runStart, end - runStart);
    for (; first < next; first++) found[slotOf.get(places[first]!)!] = { memory, start: places[first]! - runStart };
  }
  return found;
}

/** For a few bytes a loop is faster than a view and `set`. */
function copyBytes(source: Uint8Array, start: number, length: number, target: Uint8Array, at: number): void {
  if (length > 48) target.set(source.subarray(start, start + length), at);
  else for (let i = 0; i < length; i++) target[at + i] = source[start + i]!;
}

const pointerBytes = new ArrayBuffer(8);
const pointerWords = new Uint32Array(pointerBytes);

function readMemory(pointer: number, length: number): Uint8Array {
  pointerWords[0] = pointer % 2 ** 32;
  pointerWords[1] = Math.floor(pointer / 2 ** 32);
  return duckdb.get_data_from_pointer(pointerBytes, 0, length);
}
