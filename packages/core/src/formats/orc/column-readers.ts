import { bitmapSize, getBit, setBit } from '../../columns/column.ts';
import type { Column } from '../../columns/column.ts';
import { viewOf, writeDecimal } from '../../columns/decimals.ts';
import { DECIMAL_WIDTH } from '../../columns/layout.ts';
import { takeRows } from '../../columns/take.ts';
import { invalidData, unsupported } from '../../errors.ts';
import type { FileField } from '../data-file.ts';
import { areUtf8 } from '../utf8-values.ts';
import { signed } from './byte-input.ts';
import { BitRuns, ByteRuns } from './byte-runs.ts';
import { isInNanos, orcDecimal } from './file-fields.ts';
import { isOrcLeaf, type OrcLeafKind, type OrcType } from './footer.ts';
import { IntegerRuns } from './integer-runs.ts';
import type { StripeStreams } from './stripe.ts';
import { zoneOffset } from './zone-offset.ts';

/** Decodes the next rows of a column, from where the last call ended. */
export type ColumnReader = (rows: number) => Column;

/** Decodes rows of which those with a bit in `validity` have a value; null stands for all of them. */
type ValueReader = (rows: number, validity: Uint8Array | null) => Column;

/** What the readers of a stripe's columns share. */
export interface StripeContext {
  readonly types: readonly OrcType[];
  readonly streams: StripeStreams;
  /** Numbers of the columns to decode. */
  readonly wanted: ReadonlySet<number>;
  readonly location: string;
}

export function columnReader(field: FileField, context: StripeContext): ColumnReader {
  const type = context.types[field.index]!;
  const present = context.streams.optional(type.column, 'present');
  const bits = present && new BitRuns(present);
  const readValues = valueReader(field, type, context);
  return (rows) => readValues(rows, bits && readValidity(bits, rows));
}

function readValidity(bits: BitRuns, rows: number): Uint8Array | null {
  const validity = new Uint8Array(bitmapSize(rows));
  let nulls = 0;
  for (let row = 0; row < rows; row++) {
    if (bits.next()) setBit(validity, row);
    else nulls++;
  }
  return nulls === 0 ? null : validity;
}

function valueReader(field: FileField, type: OrcType, context: StripeContext): ValueReader {
  const { shape } = field;
  switch (shape.kind) {
    case 'leaf':
      return leafReader(field, type, context);
    case 'struct': {
      const wanted = shape.fields.filter(({ index }) => context.wanted.has(index));
      return structReader(wanted.map((child) => columnReader(child, context)));
    }
    case 'list':
      return listReader(type, columnReader(shape.element, context), context);
    case 'map': {
      const entries = structReader([columnReader(shape.key, context), columnReader(shape.value, context)]);
      return listReader(type, (rows) => entries(rows, null), context);
    }
  }
}

function leafReader(field: FileField, type: OrcType, context: StripeContext): ValueReader {
  if (isOrcLeaf(type)) return LEAF_READERS[type.kind](type, context);
  throw unsupported(
    `The column '${field.name}' of the data file ${context.location} is a union of several types, which no Iceberg type can hold.`,
    { path: context.location },
  );
}

function structReader(children: readonly ColumnReader[]): ValueReader {
  return (rows, validity) => {
    if (validity === null) {
      return { layout: 'struct', length: rows, validity, children: children.map((read) => read(rows)) };
    }
    const { places, count } = placesOfValues(rows, validity);
    const spread = children.map((read) => takeRows(read(count), places));
    return { layout: 'struct', length: rows, validity, children: spread };
  };
}

/** Nulls take no place in streams, nor in the columns of a struct's children: where rows have theirs, or -1. */
function placesOfValues(rows: number, validity: Uint8Array): { readonly places: Int32Array; readonly count: number } {
  const places = new Int32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) places[row] = getBit(validity, row) ? count++ : -1;
  return { places, count };
}

function listReader({ column }: OrcType, items: ColumnReader, { streams }: StripeContext): ValueReader {
  const lengths = unsigned(streams, column, 'length');
  return (rows, validity) => {
    const offsets = readOffsets(lengths, rows, validity, MAX_ITEMS);
    return { layout: 'list', length: rows, validity, offsets, items: items(offsets[rows]!) };
  };
}

/** There are nothing like so many in a batch of a sound file. */
const MAX_ITEMS = 1 << 28;
/** Arrow's offsets have 32 bits. */
const MAX_BYTES = 0x7fff_ffff;

function readOffsets(lengths: IntegerRuns, rows: number, validity: Uint8Array | null, most: number): Int32Array {
  const offsets = new Int32Array(rows + 1);
  let end = 0;
  for (let row = 0; row < rows; row++) {
    if (isPresent(validity, row)) {
      const length = lengths.next();
      end += length;
      if (length < 0 || end > most) throw invalidData(`a length is ${length}`);
    }
    offsets[row + 1] = end;
  }
  return offsets;
}

function isPresent(validity: Uint8Array | null, row: number): boolean {
  return validity === null || getBit(validity, row);
}

type LeafReader = (type: OrcType, context: StripeContext) => ValueReader;

function integers(
  streams: StripeStreams,
  column: number,
  stream: 'data' | 'length' | 'secondary',
  isSigned: boolean,
): IntegerRuns {
  return new IntegerRuns(streams.get(column, stream), { isSigned, version: streams.encoding(column).version });
}

function unsigned(streams: StripeStreams, column: number, stream: 'data' | 'length' | 'secondary'): IntegerRuns {
  return integers(streams, column, stream, false);
}

const booleans: LeafReader = ({ column }, { streams }) => {
  const data = new BitRuns(streams.get(column, 'data'));
  return (rows, validity) => {
    const bits = new Uint8Array(bitmapSize(rows));
    for (let row = 0; row < rows; row++) if (isPresent(validity, row) && data.next()) setBit(bits, row);
    return { layout: 'bits', length: rows, validity, bits };
  };
};

/** Numbers of 32 bits. */
function smallIntegers(next: (streams: StripeStreams, column: number) => () => number): LeafReader {
  return ({ column }, { streams }) => {
    const nextValue = next(streams, column);
    return (rows, validity) => {
      const values = new Int32Array(rows);
      for (let row = 0; row < rows; row++) if (isPresent(validity, row)) values[row] = toInt32(nextValue());
      return { layout: 'numbers', length: rows, validity, values };
    };
  };
}

function toInt32(value: number): number {
  if (value !== (value | 0)) throw invalidData(`${value} is no 32-bit integer`);
  return value;
}

const tinyIntegers = smallIntegers((streams, column) => {
  const runs = new ByteRuns(streams.get(column, 'data'));
  return () => (runs.next() << 24) >> 24;
});

const ints = smallIntegers((streams, column) => {
  const runs = integers(streams, column, 'data', true);
  return () => runs.next();
});

const longs: LeafReader = ({ column }, { streams }) => {
  const runs = integers(streams, column, 'data', true);
  return (rows, validity) => {
    const values = new BigInt64Array(rows);
    for (let row = 0; row < rows; row++) if (isPresent(validity, row)) values[row] = runs.nextLong();
    return { layout: 'numbers', length: rows, validity, values };
  };
};

function floats(array: Float32ArrayConstructor | Float64ArrayConstructor): LeafReader {
  return ({ column }, { streams }) => {
    const data = streams.get(column, 'data');
    const read = (rows: number): Column => {
      const values = new array(data.bytes(rows * array.BYTES_PER_ELEMENT).slice().buffer);
      return { layout: 'numbers', length: rows, validity: null, values };
    };
    return (rows, validity) => {
      if (validity === null) return read(rows);
      const { places, count } = placesOfValues(rows, validity);
      return takeRows(read(count), places);
    };
  };
}

/** Text and binary: the values themselves, or their numbers in a dictionary. */
function variable(isText: boolean): LeafReader {
  return ({ column }, { streams }) => {
    const { isDictionary, dictionarySize } = streams.encoding(column);
    return isDictionary ? fromDictionary(column, dictionarySize, streams, isText) : direct(column, streams, isText);
  };
}

function direct(column: number, streams: StripeStreams, isText: boolean): ValueReader {
  const lengths = unsigned(streams, column, 'length');
  const data = streams.get(column, 'data');
  return (rows, validity) => {
    const offsets = readOffsets(lengths, rows, validity, MAX_BYTES);
    const bytes = data.bytes(offsets[rows]!).slice();
    if (isText) checkText(bytes, offsets);
    return { layout: 'variable', length: rows, validity, offsets, bytes };
  };
}

function checkText(bytes: Uint8Array, offsets: Int32Array): void {
  if (!areUtf8(bytes, offsets)) throw invalidData('text is not UTF-8');
}

function fromDictionary(column: number, size: number, streams: StripeStreams, isText: boolean): ValueReader {
  const offsets = readOffsets(unsigned(streams, column, 'length'), size, null, MAX_BYTES);
  const bytes = streams.get(column, 'dictionary').bytes(offsets[size]!);
  if (isText) checkText(bytes, offsets);
  const dictionary: Column = { layout: 'variable', length: size, validity: null, offsets, bytes };
  const data = unsigned(streams, column, 'data');
  return (rows, validity) => {
    const places = new Int32Array(rows).fill(-1);
    for (let row = 0; row < rows; row++) {
      if (!isPresent(validity, row)) continue;
      const place = data.next();
      if (place < 0 || place >= size) throw invalidData(`the dictionary has no value ${place}`);
      places[row] = place;
    }
    return takeRows(dictionary, places);
  };
}

/** Unscaled values, each with a scale of its own. */
const decimals: LeafReader = (type, { streams }) => {
  const { scale } = orcDecimal(type);
  const data = streams.get(type.column, 'data');
  const scales = integers(streams, type.column, 'secondary', true);
  return (rows, validity) => {
    const bytes = new Uint8Array(rows * DECIMAL_WIDTH);
    const view = viewOf(bytes);
    for (let row = 0; row < rows; row++) {
      if (isPresent(validity, row)) writeDecimal(view, row, rescaled(signed(data.varint()), scales.next(), scale));
    }
    return { layout: 'fixed', length: rows, validity, width: DECIMAL_WIDTH, bytes };
  };
};

const MAX_SCALE = 38;

function rescaled(unscaled: number | bigint, from: number, to: number): bigint {
  const value = BigInt(unscaled);
  if (from === to) return value;
  if (from < 0 || from > MAX_SCALE) throw invalidData(`a decimal has the scale ${from}`);
  if (from < to) return value * 10n ** BigInt(to - from);
  const factor = 10n ** BigInt(from - to);
  if (value % factor !== 0n) throw invalidData(`a decimal has more than ${to} digits after the point`);
  return value / factor;
}

/** 2015-01-01, from which seconds are counted. */
const EPOCH_SECONDS = 1_420_070_400;

/**
 * Seconds in one stream, nanoseconds in another. Timestamps without a zone count from 2015 as clocks in the writer's
 * zone showed it, so that what those clocks showed comes out, whatever the zone.
 */
function timestamps(isLocal: boolean): LeafReader {
  return (type, { streams, location }) => {
    const { column } = type;
    const seconds = integers(streams, column, 'data', true);
    const nanos = unsigned(streams, column, 'secondary');
    const toLocal = isLocal ? zoneOffset(streams.writerZone, location) : null;
    const epoch = EPOCH_SECONDS - (toLocal ? toLocal.atWall(EPOCH_SECONDS) : 0);
    const inNanos = isInNanos(type);
    return (rows, validity) => {
      const values = new BigInt64Array(rows);
      for (let row = 0; row < rows; row++) {
        if (!isPresent(validity, row)) continue;
        let second = seconds.next() + epoch;
        const nano = parseNanos(nanos.next());
        // Writers count seconds before 1970 with a fraction of a millisecond or more towards zero.
        if (second < 0 && nano > 999_999) second--;
        if (toLocal) second += toLocal.at(second);
        values[row] = inNanos
          ? BigInt(second) * 1_000_000_000n + BigInt(nano)
          : BigInt(second) * 1_000_000n + BigInt(Math.floor(nano / 1000));
      }
      return { layout: 'numbers', length: rows, validity, values };
    };
  };
}

/**
 * The lowest three bits tell how many zeros were cut off: none, or one more than they say. Arrow's writer gives times
 * before 1970 negative nanoseconds, in two's complement, which no specification forbids.
 */
function parseNanos(encoded: number): number {
  const digits = Math.floor(encoded / 8);
  const zeros = encoded - digits * 8;
  return zeros === 0 ? digits : digits * 10 ** (zeros + 1);
}

const LEAF_READERS: Readonly<Record<OrcLeafKind, LeafReader>> = {
  boolean: booleans,
  byte: tinyIntegers,
  short: ints,
  int: ints,
  date: ints,
  long: longs,
  float: floats(Float32Array),
  double: floats(Float64Array),
  string: variable(true),
  varchar: variable(true),
  char: variable(true),
  binary: variable(false),
  decimal: decimals,
  timestamp: timestamps(true),
  timestamp_instant: timestamps(false),
};
