import type { SeededRuntime } from '@lh/core/testing';

/** Bytes with something wrong in them, and what. */
export interface Mutation {
  readonly bytes: Uint8Array;
  readonly what: string;
}

type Mutate = (bytes: Uint8Array, random: SeededRuntime) => Uint8Array;

/** Ways to damage bytes without knowing what they mean. */
const MUTATIONS: Readonly<Record<string, Mutate>> = {
  'a bit flipped': (bytes, random) => {
    const copy = bytes.slice();
    const at = random.randomInteger(copy.length);
    copy[at]! ^= 1 << random.randomInteger(8);
    return copy;
  },
  'bytes overwritten': (bytes, random) => {
    const copy = bytes.slice();
    const at = random.randomInteger(copy.length);
    copy.set(noise(random).subarray(0, copy.length - at), at);
    return copy;
  },
  'bytes inserted': (bytes, random) => {
    const at = random.randomInteger(bytes.length + 1);
    return joined(bytes.subarray(0, at), noise(random), bytes.subarray(at));
  },
  'bytes removed': (bytes, random) => {
    const at = random.randomInteger(bytes.length);
    return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + random.randomInteger(16)));
  },
  'cut short': (bytes, random) => bytes.slice(0, random.randomInteger(bytes.length)),
  'a piece doubled': (bytes, random) => {
    const at = random.randomInteger(bytes.length);
    const piece = bytes.subarray(at, at + 1 + random.randomInteger(64));
    return joined(bytes.subarray(0, at), piece, bytes.subarray(at));
  },
  'two pieces swapped': (bytes, random) => {
    const copy = bytes.slice();
    const length = 1 + random.randomInteger(Math.min(32, bytes.length));
    const [a, b] = [random.randomInteger(bytes.length - length + 1), random.randomInteger(bytes.length - length + 1)];
    copy.set(bytes.subarray(b, b + length), a);
    copy.set(bytes.subarray(a, a + length), b);
    return copy;
  },
};

export function mutateBytes(bytes: Uint8Array, random: SeededRuntime): Mutation {
  const what = pick(Object.keys(MUTATIONS), random);
  return { bytes: bytes.length === 0 ? noise(random) : MUTATIONS[what]!(bytes, random), what };
}

/** Bytes that decoders are likely to stumble over: extreme numbers in several encodings, or anything. */
function noise(random: SeededRuntime): Uint8Array {
  const special = [
    [0],
    [0xff],
    [0x80],
    [0x01],
    // Zigzag varints: -1, 2^31, 2^53, the greatest and the least long, and one without an end.
    [0x80, 0x80, 0x80, 0x80, 0x10],
    [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20],
    [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    [0, 0, 0, 0],
    [0xff, 0xff, 0xff, 0x7f],
    [0xff, 0xff, 0xff, 0xff],
    [0, 0, 0, 0, 0, 0, 0, 0x80],
  ];
  const chosen = random.randomInteger(2 * special.length);
  return Uint8Array.from(special[chosen] ?? random.randomBytes(1 + random.randomInteger(16)));
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function pick<T>(items: readonly T[], random: SeededRuntime): T {
  return items[random.randomInteger(items.length)]!;
}
