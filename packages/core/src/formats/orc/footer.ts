import { invalidData, isLakehouseError, unsupported } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import { readRange } from '../read-ranges.ts';
import { decompressOrc, orcCompression, type OrcCompression } from './compression.ts';
import { protoMessages, protoNumber, protoNumbers, protoTexts, readProto, type ProtoMessage } from './protobuf.ts';

/** What an ORC file says of itself (ORC specification v1: "File Tail"). */
export interface OrcFooter {
  readonly compression: OrcCompression;
  /** Flattened, parents before their children; the first is the row itself. */
  readonly types: readonly OrcType[];
  readonly stripes: readonly OrcStripe[];
}

export interface OrcType {
  /** Its place in the list, by which streams and encodings refer to it. */
  readonly column: number;
  readonly kind: OrcKind;
  readonly children: readonly number[];
  /** Of a struct's children. */
  readonly names: readonly string[];
  readonly precision: number;
  readonly scale: number;
  readonly attributes: ReadonlyMap<string, string>;
}

/** By the codes of the enum Kind. */
const KINDS = [
  'boolean',
  'byte',
  'short',
  'int',
  'long',
  'float',
  'double',
  'string',
  'binary',
  'timestamp',
  'list',
  'map',
  'struct',
  'union',
  'decimal',
  'date',
  'varchar',
  'char',
  'timestamp_instant',
] as const;

export type OrcKind = (typeof KINDS)[number];

/** Kinds of one column each, which all Iceberg types without parts are stored as. */
export type OrcLeafKind = Exclude<OrcKind, 'list' | 'map' | 'struct' | 'union'>;

export interface OrcLeaf extends OrcType {
  readonly kind: OrcLeafKind;
}

const PARENTS: ReadonlySet<OrcKind> = new Set<OrcKind>(['list', 'map', 'struct', 'union']);

export function isOrcLeaf(type: OrcType): type is OrcLeaf {
  return !PARENTS.has(type.kind);
}

export interface OrcStripe {
  readonly rowCount: number;
  /** Position in the file of the stripe's first row. */
  readonly firstRow: number;
  /** Bytes: where it begins, and the lengths of its three parts. */
  readonly offset: number;
  readonly indexLength: number;
  readonly dataLength: number;
  readonly footerLength: number;
}

/** Field numbers of the messages PostScript, Footer, StripeInformation, Type and StringPair. */
const POSTSCRIPT = { footerLength: 1, compression: 2, blockSize: 3, magic: 8000 } as const;
const FOOTER = { stripes: 3, types: 4, encryption: 10 } as const;
const STRIPE = { offset: 1, indexLength: 2, dataLength: 3, footerLength: 4, rowCount: 5 } as const;
const TYPE = { kind: 1, subtypes: 2, names: 3, precision: 5, scale: 6, attributes: 7 } as const;
const PAIR = { key: 1, value: 2 } as const;

const MAGIC = 'ORC';
const DEFAULT_BLOCK_SIZE = 256 * 1024;
/** Most tails fit in this much of a file's end, so that one read gets them. */
const TAIL_SIZE = 64 * 1024;

/** Reads the tail of the file of `size` bytes. INVALID_DATA if that is no whole ORC file; UNSUPPORTED if it is encrypted. */
export async function readOrcFooter(
  io: FileIO,
  location: string,
  size: number,
  signal: AbortSignal | undefined,
): Promise<OrcFooter> {
  if (size < MAGIC.length + 1) throw notOrc(location, `it has ${size} bytes`);
  const lastBytes = (length: number): Promise<Uint8Array> =>
    readRange(io, location, { offset: size - length, length }, signal);
  let tail = await lastBytes(Math.min(size, TAIL_SIZE));
  const scriptLength = tail.at(-1)!;
  if (scriptLength + 1 > tail.length) throw notOrc(location, 'it ends too early');
  const script = inTail(location, () => readPostScript(tail.subarray(tail.length - 1 - scriptLength, -1)));
  const length = protoNumber(script, POSTSCRIPT.footerLength);
  const end = scriptLength + 1;
  if (length + end > size) throw notOrc(location, `its footer would have ${length} bytes`);
  if (length + end > tail.length) tail = await lastBytes(length + end);
  const blockSize = protoNumber(script, POSTSCRIPT.blockSize, DEFAULT_BLOCK_SIZE);
  const compression = orcCompression(protoNumber(script, POSTSCRIPT.compression), blockSize, location);
  const bytes = tail.subarray(tail.length - end - length, tail.length - end);
  return inTail(location, () => footerFrom(readProto(decompressOrc(bytes, compression)), compression, location));
}

function readPostScript(bytes: Uint8Array): ProtoMessage {
  const script = readProto(bytes);
  if (protoTexts(script, POSTSCRIPT.magic).at(-1) !== MAGIC) throw invalidData("it doesn't end as one does");
  return script;
}

/** Names the file in what goes wrong. */
function inTail<T>(location: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isLakehouseError(error, 'INVALID_DATA')) throw error;
    throw notOrc(location, error.message.replace(/\.$/, ''), error);
  }
}

function notOrc(location: string, why: string, cause?: unknown): Error {
  return invalidData(`${location} is not a whole ORC file: ${why}.`, { path: location }, cause);
}

function footerFrom(footer: ProtoMessage, compression: OrcCompression, location: string): OrcFooter {
  if (footer.has(FOOTER.encryption)) {
    throw unsupported(`The data file ${location} holds encrypted columns, which can't be read.`, { path: location });
  }
  const types = protoMessages(footer, FOOTER.types).map((type, column) => typeFrom(type, column));
  if (types[0]?.kind !== 'struct') throw invalidData('its rows are no structs');
  checkTree(types);
  let firstRow = 0;
  const stripes = protoMessages(footer, FOOTER.stripes).map((stripe): OrcStripe => {
    const rowCount = protoNumber(stripe, STRIPE.rowCount);
    firstRow += rowCount;
    return {
      rowCount,
      firstRow: firstRow - rowCount,
      offset: protoNumber(stripe, STRIPE.offset),
      indexLength: protoNumber(stripe, STRIPE.indexLength),
      dataLength: protoNumber(stripe, STRIPE.dataLength),
      footerLength: protoNumber(stripe, STRIPE.footerLength),
    };
  });
  return { compression, types, stripes };
}

function typeFrom(type: ProtoMessage, column: number): OrcType {
  const code = protoNumber(type, TYPE.kind);
  const kind = KINDS[code];
  if (kind === undefined) throw invalidData(`a column is of the unknown type ${code}`);
  const pairs = protoMessages(type, TYPE.attributes);
  return {
    column,
    kind,
    children: protoNumbers(type, TYPE.subtypes),
    names: protoTexts(type, TYPE.names),
    precision: protoNumber(type, TYPE.precision),
    scale: protoNumber(type, TYPE.scale),
    attributes: new Map(
      pairs.map((pair) => [protoTexts(pair, PAIR.key)[0] ?? '', protoTexts(pair, PAIR.value)[0] ?? '']),
    ),
  };
}

const MAX_DEPTH = 100;

/** Children come after their parents, in order, and belong to one. */
function checkTree(types: readonly OrcType[]): void {
  let next = 0;
  const visit = (column: number, depth: number): void => {
    const type = types[column];
    if (type === undefined || column !== next++ || depth > MAX_DEPTH) throw invalidData("its types don't form a tree");
    const expected = type.kind === 'list' ? 1 : type.kind === 'map' ? 2 : type.children.length;
    const named = type.kind === 'struct' ? type.names.length : type.children.length;
    if (type.children.length !== expected || type.children.length !== named)
      throw invalidData('a type lacks its parts');
    for (const child of type.children) visit(child, depth + 1);
  };
  visit(0, 0);
}
