import { invalidData } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import { readRange, readRanges } from '../read-ranges.ts';
import { ByteInput } from './byte-input.ts';
import { decompressOrc, type OrcCompression } from './compression.ts';
import type { OrcFooter, OrcStripe } from './footer.ts';
import { protoMessages, protoNumber, protoTexts, readProto } from './protobuf.ts';

/** The streams of a stripe's wanted columns, in memory, still compressed. */
export interface StripeStreams {
  /** A stream that may be left out where it would say nothing; null then. */
  optional(column: number, kind: StreamKind): ByteInput | null;
  /** A stream; an empty one if the stripe lacks it, as it may where all values are null. */
  get(column: number, kind: StreamKind): ByteInput;
  encoding(column: number): ColumnEncoding;
  readonly writerZone: string;
}

export interface ColumnEncoding {
  /** Of the run length encoding of integers. */
  readonly version: 1 | 2;
  readonly isDictionary: boolean;
  readonly dictionarySize: number;
}

export type StreamKind = 'present' | 'data' | 'length' | 'dictionary' | 'secondary';

/** By the codes of the enum Stream.Kind. The others are indexes and filters, which nothing here needs. */
const STREAM_KINDS: readonly (StreamKind | null)[] = ['present', 'data', 'length', 'dictionary', null, 'secondary'];

/** By the codes of the enum ColumnEncoding.Kind. */
const ENCODINGS: readonly Omit<ColumnEncoding, 'dictionarySize'>[] = [
  { version: 1, isDictionary: false },
  { version: 1, isDictionary: true },
  { version: 2, isDictionary: false },
  { version: 2, isDictionary: true },
];

/** Field numbers of the messages StripeFooter, Stream and ColumnEncoding. */
const FOOTER = { streams: 1, encodings: 2, writerZone: 3 } as const;
const STREAM = { kind: 1, column: 2, length: 3 } as const;
const ENCODING = { kind: 1, dictionarySize: 2 } as const;

interface StreamRange {
  readonly column: number;
  readonly kind: StreamKind;
  readonly offset: number;
  readonly length: number;
}

/** Reads what a stripe has of the wanted columns, given by their numbers. */
export async function readStripe(
  io: FileIO,
  location: string,
  { compression }: OrcFooter,
  stripe: OrcStripe,
  wanted: ReadonlySet<number>,
  signal: AbortSignal | undefined,
): Promise<StripeStreams> {
  const end = stripe.offset + stripe.indexLength + stripe.dataLength;
  const bytes = await readRange(io, location, { offset: end, length: stripe.footerLength }, signal);
  const footer = readProto(decompressOrc(bytes, compression));
  const ranges: StreamRange[] = [];
  let offset = stripe.offset;
  for (const stream of protoMessages(footer, FOOTER.streams)) {
    const length = protoNumber(stream, STREAM.length);
    const kind = STREAM_KINDS[protoNumber(stream, STREAM.kind)];
    const column = protoNumber(stream, STREAM.column);
    if (kind && length > 0 && wanted.has(column)) ranges.push({ column, kind, offset, length });
    offset += length;
  }
  if (offset > end) throw invalidData("a stripe's streams are longer than the stripe");
  const bytesOf = await readRanges(io, location, ranges, signal ? { signal } : {});
  const streams = new Map(ranges.map((range) => [`${range.column} ${range.kind}`, bytesOf(range)]));
  const encodings = protoMessages(footer, FOOTER.encodings).map((encoding): ColumnEncoding | null => {
    const kind = ENCODINGS[protoNumber(encoding, ENCODING.kind)];
    return kind ? { ...kind, dictionarySize: protoNumber(encoding, ENCODING.dictionarySize) } : null;
  });
  return stripeStreams(streams, encodings, compression, protoTexts(footer, FOOTER.writerZone).at(-1) ?? '');
}

function stripeStreams(
  streams: ReadonlyMap<string, Uint8Array>,
  encodings: readonly (ColumnEncoding | null)[],
  compression: OrcCompression,
  writerZone: string,
): StripeStreams {
  const find = (column: number, kind: StreamKind): Uint8Array | undefined => streams.get(`${column} ${kind}`);
  return {
    optional(column, kind) {
      const bytes = find(column, kind);
      return bytes ? new ByteInput(bytes, compression) : null;
    },
    get: (column, kind) => new ByteInput(find(column, kind) ?? new Uint8Array(0), compression),
    encoding(column) {
      const encoding = encodings[column];
      if (!encoding) throw invalidData(`the encoding of column ${column} is unknown`);
      return encoding;
    },
    writerZone,
  };
}
