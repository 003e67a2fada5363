import { stringifyJson } from './json.ts';
import type { JsonObject } from './json.ts';

/** Items as JSON, each with a comma behind it. */
interface Encoded<T> {
  readonly items: T[];
  /** Where each item's text ends. */
  readonly ends: number[];
  /** With room for more at the end. */
  readonly bytes: Uint8Array;
}

interface Place<T> {
  readonly encoded: Encoded<T>;
  readonly index: number;
}

/**
 * Makes JSON of lists whose items never change and are part of every later version of the list, as the snapshots of a
 * table are: each item's text is made once. A version that goes on where the last one ended costs what is new in it, and
 * so does one that has lost items at its front.
 */
export class ListEncoder<T extends object> {
  readonly #toJson: (item: T) => JsonObject;
  readonly #places = new WeakMap<T, Place<T>>();
  readonly #text = new TextEncoder();

  constructor(toJson: (item: T) => JsonObject) {
    this.#toJson = toJson;
  }

  /** What goes between the list's brackets. The bytes are to be copied, not kept: they may have a large buffer behind them. */
  encode(items: readonly T[]): Uint8Array {
    if (items.length === 0) return new Uint8Array(0);
    const place = this.#places.get(items[0]!);
    const known = place === undefined ? 0 : countCommon(place, items);
    const added = items.slice(known);
    const { encoded, index } = this.#append(place, known, added);
    const from = index === 0 ? 0 : encoded.ends[index - 1]!;
    return encoded.bytes.subarray(from, encoded.ends[index + items.length - 1]! - 1);
  }

  #append(place: Place<T> | undefined, known: number, added: readonly T[]): Place<T> {
    const texts = added.map((item) => `${stringifyJson(this.#toJson(item))},`);
    // One call into the platform for all of them; what is ASCII has as many bytes as characters.
    const all = texts.join('');
    const bytes = this.#text.encode(all);
    const isAscii = bytes.length === all.length;
    const target =
      place !== undefined && canTake(place, known, bytes.length) ? place : this.#copy(place, known, bytes.length);
    const { encoded } = target;
    let end = encoded.ends.at(-1) ?? 0;
    encoded.bytes.set(bytes, end);
    for (const [i, text] of texts.entries()) {
      end += isAscii ? text.length : this.#text.encode(text).length;
      this.#add(encoded, added[i]!, end);
    }
    return target;
  }

  /** The first `known` items from a place on, with room for twice as much. */
  #copy(place: Place<T> | undefined, known: number, size: number): Place<T> {
    const from = place === undefined || place.index === 0 ? 0 : place.encoded.ends[place.index - 1]!;
    const to = place === undefined || known === 0 ? from : place.encoded.ends[place.index + known - 1]!;
    const encoded: Encoded<T> = { items: [], ends: [], bytes: new Uint8Array(2 * (to - from + size)) };
    if (place !== undefined) {
      encoded.bytes.set(place.encoded.bytes.subarray(from, to));
      for (let i = place.index; i < place.index + known; i++) {
        this.#add(encoded, place.encoded.items[i]!, place.encoded.ends[i]! - from);
      }
    }
    return { encoded, index: 0 };
  }

  #add(encoded: Encoded<T>, item: T, end: number): void {
    this.#places.set(item, { encoded, index: encoded.items.length });
    encoded.items.push(item);
    encoded.ends.push(end);
  }
}

function countCommon<T>({ encoded, index }: Place<T>, items: readonly T[]): number {
  const most = Math.min(items.length, encoded.items.length - index);
  let common = 0;
  while (common < most && encoded.items[index + common] === items[common]) common++;
  return common;
}

/** Whether so many bytes can be put behind the known items. Not if others, of another version, are there. */
function canTake<T>({ encoded, index }: Place<T>, known: number, size: number): boolean {
  if (size === 0) return true;
  const end = encoded.ends.at(-1)!;
  return index + known === encoded.items.length && end + size <= encoded.bytes.length;
}
