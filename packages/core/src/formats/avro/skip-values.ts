import type { AvroReader } from './avro-reader.ts';
import { isEmpty, type AvroRecord, type AvroType } from './avro-schema.ts';

/** Moves a reader past one value. */
export type Skipper = (reader: AvroReader) => void;

const skipVarint: Skipper = (reader) => reader.skipVarint();
const skipBytes: Skipper = (reader) => reader.skip(reader.readLength());
const skipNothing: Skipper = () => undefined;
/** Of items without bytes there may be any number. */
const skipEmptyItems: Skipper = (reader) => {
  while (reader.readBlockCount(Infinity) > 0);
};

const SKIPPERS: { readonly [K in AvroType['kind']]: (type: Extract<AvroType, { kind: K }>) => Skipper } = {
  null: () => skipNothing,
  boolean: () => (reader) => reader.skip(1),
  int: () => skipVarint,
  long: () => skipVarint,
  enum: () => skipVarint,
  float: () => (reader) => reader.skip(4),
  double: () => (reader) => reader.skip(8),
  bytes: () => skipBytes,
  string: () => skipBytes,
  fixed:
    ({ size }) =>
    (reader) =>
      reader.skip(size),
  array: ({ items }) => (isEmpty(items) ? skipEmptyItems : blockSkipper(itemsSkipper(items))),
  map: ({ values }) => {
    const skip = skipper(values);
    return blockSkipper((reader, count) => {
      for (let i = 0; i < count; i++) {
        skipBytes(reader);
        skip(reader);
      }
    });
  },
  union: ({ branches }) => {
    const skips = branches.map((branch) => skipper(branch));
    return (reader) => skips[reader.readBranch(skips.length)]!(reader);
  },
  record: ({ fields }) => {
    const skips = fields.map((field) => skipper(field.type));
    return (reader) => {
      for (const skip of skips) skip(reader);
    };
  },
};

/** How to pass over values of a type without decoding them. */
export function skipper(type: AvroType): Skipper {
  const make = SKIPPERS[type.kind] as (type: AvroType) => Skipper;
  return make(type);
}

type ItemsSkipper = (reader: AvroReader, count: number) => void;

/**
 * Most of a manifest is maps of column statistics that nobody asked for, and almost all of the time of skipping goes
 * into them: their two shapes, a count and a bound per column, have loops of their own.
 */
function itemsSkipper(items: AvroType): ItemsSkipper {
  if (items.kind === 'record') {
    const varints = varintCount(items);
    if (varints !== null) return (reader, count) => skipVarints(reader, count * varints);
    if (isPairOfIntAndBytes(items)) return skipIntsAndBytes;
  }
  const skip = skipper(items);
  return (reader, count) => {
    for (let i = 0; i < count; i++) skip(reader);
  };
}

function blockSkipper(skipItems: ItemsSkipper): Skipper {
  return (reader) => {
    for (let count = reader.readBlockCount(); count > 0; count = reader.readBlockCount()) skipItems(reader, count);
  };
}

/** The number of fields if all of them are varints. */
function varintCount(record: AvroRecord): number | null {
  return record.fields.every(({ type }) => type.kind === 'int' || type.kind === 'long') ? record.fields.length : null;
}

function skipVarints(reader: AvroReader, count: number): void {
  const bytes = reader.bytes;
  let position = reader.position;
  for (let i = 0; i < count; i++) while ((bytes[position++]! & 0x80) !== 0);
  reader.position = position;
}

function isPairOfIntAndBytes({ fields }: AvroRecord): boolean {
  return fields.length === 2 && fields[0]!.type.kind === 'int' && fields[1]!.type.kind === 'bytes';
}

function skipIntsAndBytes(reader: AvroReader, count: number): void {
  const bytes = reader.bytes;
  for (let i = 0; i < count; i++) {
    while ((bytes[reader.position++]! & 0x80) !== 0);
    const length = bytes[reader.position]!;
    // One byte tells a length below 64, even as all are that aren't negative.
    if (length < 0x80 && (length & 1) === 0) reader.position += 1 + (length >>> 1);
    else reader.skip(reader.readLength());
  }
}
