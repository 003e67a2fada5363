import type { Shape } from '../data-file.ts';
import { invalidData } from '../../errors.ts';
import { THRIFT, fieldOf } from './thrift.ts';
import type { ThriftStruct } from './thrift.ts';

/** One element of a Parquet file's schema with what is below it. */
export interface ParquetNode {
  /** Position in the footer's flat list of elements: a number for the node that is unique in its file. */
  readonly index: number;
  readonly name: string;
  readonly repetition: 'required' | 'optional' | 'repeated';
  /** The Iceberg field id, if the writer kept one. */
  readonly fieldId: number | null;
  /** Null for groups. */
  readonly physical: PhysicalType | null;
  /** Bytes of a FIXED_LEN_BYTE_ARRAY. */
  readonly typeLength: number | null;
  readonly logical: ParquetLogicalType | null;
  readonly children: readonly ParquetNode[];
  /** The leaves (columns) at or below this node: from the first up to, not including, the second. */
  readonly leaves: readonly [number, number];
}

export type PhysicalType =
  | 'BOOLEAN'
  | 'INT32'
  | 'INT64'
  | 'INT96'
  | 'FLOAT'
  | 'DOUBLE'
  | 'BYTE_ARRAY'
  | 'FIXED_LEN_BYTE_ARRAY';

export type ParquetTimeUnit = 'ms' | 'us' | 'ns';

/** Logical type or, in older files, converted type. */
export type ParquetLogicalType =
  | { readonly kind: SimpleLogicalKind }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'time' | 'timestamp'; readonly unit: ParquetTimeUnit; readonly utc: boolean }
  | { readonly kind: 'int'; readonly bits: number; readonly signed: boolean }
  /** Null: the default of the format, which is Iceberg's, too. */
  | { readonly kind: 'geometry'; readonly crs: string | null }
  | { readonly kind: 'geography'; readonly crs: string | null; readonly algorithm: string };

type SimpleLogicalKind =
  | 'string'
  | 'map'
  | 'list'
  | 'enum'
  | 'date'
  | 'null'
  | 'json'
  | 'bson'
  | 'uuid'
  | 'float16'
  | 'interval'
  | 'variant'
  | 'other';

const PHYSICAL_TYPES: readonly PhysicalType[] = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
];

const REPETITIONS: readonly ParquetNode['repetition'][] = ['required', 'optional', 'repeated'];

/** Field ids of the thrift struct SchemaElement. */
export const ELEMENT = {
  type: 1,
  typeLength: 2,
  repetition: 3,
  name: 4,
  numChildren: 5,
  convertedType: 6,
  scale: 7,
  precision: 8,
  fieldId: 9,
  logicalType: 10,
} as const;

/** Field ids of the thrift union LogicalType. */
export const LOGICAL = {
  decimal: 5,
  time: 7,
  timestamp: 8,
  integer: 10,
  uuid: 14,
  variant: 16,
  geometry: 17,
  geography: 18,
} as const;

const utf8 = new TextDecoder();

/** Builds the tree from the footer's flat, depth-first list. The root is the message itself. */
export function parquetTree(elements: readonly ThriftStruct[]): {
  readonly root: ParquetNode;
  readonly leaves: readonly ParquetNode[];
} {
  const leaves: ParquetNode[] = [];
  let next = 0;
  const build = (depth: number): ParquetNode => {
    const index = next++;
    const element = elements[index];
    if (element === undefined || depth > 64)
      throw invalidData("A Parquet file's schema is broken: its elements don't form a tree.");
    const count = number(element, ELEMENT.numChildren);
    const firstLeaf = leaves.length;
    const physical = number(element, ELEMENT.type);
    const children: ParquetNode[] = [];
    // Groups have a child count; a root of no columns has zero.
    for (let i = 0; i < (count ?? 0); i++) children.push(build(depth + 1));
    const isLeaf = count === undefined || (count === 0 && physical !== undefined);
    const node: ParquetNode = {
      index,
      name: utf8.decode((fieldOf(element, ELEMENT.name, THRIFT.binary) as Uint8Array | undefined) ?? new Uint8Array()),
      repetition: REPETITIONS[number(element, ELEMENT.repetition) ?? 0] ?? 'required',
      fieldId: number(element, ELEMENT.fieldId) ?? null,
      physical: isLeaf ? physicalType(physical) : null,
      typeLength: number(element, ELEMENT.typeLength) ?? null,
      logical: logicalType(element),
      children,
      leaves: [firstLeaf, isLeaf ? firstLeaf + 1 : leaves.length],
    };
    if (isLeaf) leaves.push(node);
    return node;
  };
  const root = build(0);
  if (next !== elements.length) throw invalidData("A Parquet file's schema is broken: its elements don't form a tree.");
  return { root, leaves };
}

function number(struct: ThriftStruct, id: number): number | undefined {
  return fieldOf(struct, id, THRIFT.i32) as number | undefined;
}

function physicalType(code: number | undefined): PhysicalType {
  const type = code === undefined ? undefined : PHYSICAL_TYPES[code];
  if (type === undefined)
    throw invalidData(`A Parquet file's schema has a column of the unknown physical type ${code}.`);
  return type;
}

function logicalType(element: ThriftStruct): ParquetLogicalType | null {
  const union = fieldOf(element, ELEMENT.logicalType, THRIFT.struct) as ThriftStruct | undefined;
  const member = union?.[0];
  if (member?.type === THRIFT.struct) return modernType(member.id, member.value as ThriftStruct);
  const converted = number(element, ELEMENT.convertedType);
  return converted === undefined ? null : convertedType(converted, element);
}

const SIMPLE_LOGICAL: Readonly<Record<number, SimpleLogicalKind>> = {
  1: 'string',
  2: 'map',
  3: 'list',
  4: 'enum',
  6: 'date',
  11: 'null',
  12: 'json',
  13: 'bson',
  14: 'uuid',
  15: 'float16',
  16: 'variant',
};

const UNITS: readonly ParquetTimeUnit[] = ['ms', 'us', 'ns'];

function modernType(id: number, value: ThriftStruct): ParquetLogicalType {
  if (id === LOGICAL.decimal)
    return { kind: 'decimal', scale: number(value, 1) ?? 0, precision: number(value, 2) ?? 0 };
  if (id === LOGICAL.time || id === LOGICAL.timestamp) {
    const unit = fieldOf(value, 2, THRIFT.struct) as ThriftStruct | undefined;
    return {
      kind: id === LOGICAL.time ? 'time' : 'timestamp',
      unit: UNITS[(unit?.[0]?.id ?? 2) - 1] ?? 'us',
      utc: fieldOf(value, 1, THRIFT.bool) === true,
    };
  }
  if (id === LOGICAL.integer) {
    return {
      kind: 'int',
      bits: (fieldOf(value, 1, THRIFT.i8) as number | undefined) ?? 32,
      signed: fieldOf(value, 2, THRIFT.bool) !== false,
    };
  }
  if (id === LOGICAL.geometry || id === LOGICAL.geography) {
    const name = fieldOf(value, 1, THRIFT.binary) as Uint8Array | undefined;
    const crs = name === undefined ? null : utf8.decode(name);
    if (id === LOGICAL.geometry) return { kind: 'geometry', crs };
    return { kind: 'geography', crs, algorithm: EDGE_ALGORITHMS[number(value, 2) ?? 0] ?? 'unknown' };
  }
  return { kind: SIMPLE_LOGICAL[id] ?? 'other' };
}

/** EdgeInterpolationAlgorithm of parquet-format. */
export const EDGE_ALGORITHMS: readonly string[] = ['spherical', 'vincenty', 'thomas', 'andoyer', 'karney'];

/** By ConvertedType, the predecessor of LogicalType. */
function convertedType(code: number, element: ThriftStruct): ParquetLogicalType {
  if (code === 5)
    return {
      kind: 'decimal',
      scale: number(element, ELEMENT.scale) ?? 0,
      precision: number(element, ELEMENT.precision) ?? 0,
    };
  return CONVERTED[code] ?? { kind: 'other' };
}

const CONVERTED: Readonly<Record<number, ParquetLogicalType>> = {
  0: { kind: 'string' },
  1: { kind: 'map' },
  2: { kind: 'map' },
  3: { kind: 'list' },
  4: { kind: 'enum' },
  6: { kind: 'date' },
  7: { kind: 'time', unit: 'ms', utc: true },
  8: { kind: 'time', unit: 'us', utc: true },
  9: { kind: 'timestamp', unit: 'ms', utc: true },
  10: { kind: 'timestamp', unit: 'us', utc: true },
  11: { kind: 'int', bits: 8, signed: false },
  12: { kind: 'int', bits: 16, signed: false },
  13: { kind: 'int', bits: 32, signed: false },
  14: { kind: 'int', bits: 64, signed: false },
  15: { kind: 'int', bits: 8, signed: true },
  16: { kind: 'int', bits: 16, signed: true },
  17: { kind: 'int', bits: 32, signed: true },
  18: { kind: 'int', bits: 64, signed: true },
  19: { kind: 'json' },
  20: { kind: 'bson' },
  21: { kind: 'interval' },
};

/** Reads lists and maps as parquet-format's LogicalTypes.md says, with its rules for files of older writers. */
export function shapeOf(node: ParquetNode): Shape<ParquetNode> {
  if (node.physical !== null) return { kind: 'leaf' };
  const repeated = node.children.length === 1 && node.children[0]!.repetition === 'repeated' ? node.children[0]! : null;
  if (node.logical?.kind === 'list' && repeated !== null) {
    const twoLevel =
      repeated.physical !== null ||
      repeated.children.length !== 1 ||
      repeated.name === 'array' ||
      repeated.name === `${node.name}_tuple`;
    return { kind: 'list', element: twoLevel ? repeated : repeated.children[0]! };
  }
  if (node.logical?.kind === 'map' && repeated !== null && repeated.children.length === 2) {
    return { kind: 'map', key: repeated.children[0]!, value: repeated.children[1]! };
  }
  return { kind: 'struct', fields: node.children };
}
