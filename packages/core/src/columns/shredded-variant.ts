import { invalidData, isLakehouseError } from '../errors.ts';
import { bytesToUuid } from '../spec/bytes-text.ts';
import { compareBytes } from '../spec/compare-values.ts';
import { decodeVariantMetadata, decodeVariantValue } from '../spec/variant-decode.ts';
import {
  encodeNode,
  encodeVariantArray,
  encodeVariantMetadata,
  encodeVariantObject,
  encodeVariantText,
} from '../spec/variant-encode.ts';
import type { VariantNode } from '../spec/variant-node.ts';
import { columnBuilder } from './builder.ts';
import { getBit, isValid } from './column.ts';
import type {
  BitsColumn,
  Column,
  FixedColumn,
  ListColumn,
  NumbersColumn,
  StructColumn,
  VariableColumn,
} from './column.ts';
import { readDecimal, viewOf } from './decimals.ts';
import { UUID_WIDTH } from './layout.ts';
import { sourceTypeToText } from './source-type.ts';
import type { SourceType } from './source-type.ts';

type StructSource = Extract<SourceType, { kind: 'struct' }>;

/** Whether a source type is a variant: its metadata, and its value whole, in typed parts ("shredded"), or both. */
export function isVariantSource(source: SourceType): source is StructSource {
  if (source.kind !== 'struct' || !isBinary(source, 'metadata')) return false;
  return isBinary(source, 'value') || childNamed(source, 'typed_value') >= 0;
}

export function isShredded(source: StructSource): boolean {
  return childNamed(source, 'typed_value') >= 0;
}

function isBinary(source: StructSource, name: string): boolean {
  return source.fields[childNamed(source, name)]?.type.kind === 'binary';
}

export function childNamed(source: StructSource, name: string): number {
  return source.fields.findIndex((field) => field.name === name);
}

/**
 * Puts shredded variants together again (Parquet's "Variant Shredding"): a struct of metadata and whole values.
 * `fail` is called for rows whose parts contradict each other or are broken.
 */
export function assembleVariants(
  source: StructSource,
  column: StructColumn,
  fail: (row: number, problem: string) => never,
): Column {
  const metadata = column.children[childNamed(source, 'metadata')] as VariableColumn;
  const valueAt = partReader(source, column);
  const metadataBuilder = columnBuilder({ kind: 'binary' });
  const valueBuilder = columnBuilder({ kind: 'binary' });
  const dictionaries = new DictionaryCache();
  for (let row = 0; row < column.length; row++) {
    // A variant that must be there is not where what it is in is null: then none of its parts are.
    if (!isValid(column, row) || column.children.every((part) => !isValid(part, row))) {
      metadataBuilder.append(null);
      valueBuilder.append(null);
      continue;
    }
    try {
      const dictionary = dictionaries.get(bytesAt(metadata, row));
      valueBuilder.append(valueAt(row, dictionary) ?? VARIANT_NULL);
      metadataBuilder.append(dictionary.metadata);
    } catch (error) {
      if (!isLakehouseError(error, 'INVALID_DATA')) throw error;
      fail(row, `holds a broken variant: ${error.message}`);
    }
  }
  const children = [metadataBuilder.finish(), valueBuilder.finish()];
  return { layout: 'struct', length: column.length, validity: column.validity, children };
}

/** A variant's null, which stands for a missing value where there has to be one. */
const VARIANT_NULL = Uint8Array.of(0);

/** The field names that a variant's objects refer to by number; names that its writer forgot are added at the end. */
class Dictionary {
  readonly names: string[];
  readonly ids: Map<string, number>;
  #metadata: Uint8Array;
  #encoded: number;

  constructor(metadata: Uint8Array) {
    this.names = [...decodeVariantMetadata(metadata)];
    this.ids = new Map(this.names.map((name, id) => [name, id]));
    this.#metadata = metadata;
    this.#encoded = this.names.length;
  }

  add(name: string): void {
    if (this.ids.has(name)) return;
    this.ids.set(name, this.names.length);
    this.names.push(name);
  }

  get metadata(): Uint8Array {
    if (this.names.length > this.#encoded) this.#metadata = encodeVariantMetadata(this.names);
    this.#encoded = this.names.length;
    return this.#metadata;
  }
}

/** Rows in succession mostly have the same dictionary. */
class DictionaryCache {
  #bytes: Uint8Array = new Uint8Array(0);
  #dictionary: Dictionary | null = null;

  get(metadata: Uint8Array): Dictionary {
    if (this.#dictionary === null || compareBytes(this.#bytes, metadata) !== 0) {
      this.#bytes = metadata;
      this.#dictionary = new Dictionary(metadata);
    }
    return this.#dictionary;
  }
}

/** Gives the encoded value in a row; null where there is none, as for fields that an object lacks. */
type PartReader = (row: number, dictionary: Dictionary) => Uint8Array | null;

/** Reads a group of `value` and `typed_value`, either of which the file may lack. */
function partReader(source: SourceType, column: Column): PartReader {
  if (source.kind !== 'struct' || column.layout !== 'struct') throw invalidData('its parts are not in groups');
  const child = (name: string): { type: SourceType; column: Column } | null => {
    const i = childNamed(source, name);
    return i < 0 ? null : { type: source.fields[i]!.type, column: column.children[i]! };
  };
  const [value, typed] = [child('value'), child('typed_value')];
  const rawAt: PartReader = value ? (row) => rawValue(value.column, row) : () => null;
  const valueAt = typed ? typedReader(typed.type, typed.column, rawAt) : rawAt;
  return (row, dictionary) => (isValid(column, row) ? valueAt(row, dictionary) : null);
}

function rawValue(column: Column, row: number): Uint8Array | null {
  if (column.layout !== 'variable') throw invalidData('its value is not binary');
  return isValid(column, row) ? bytesAt(column, row) : null;
}

function typedReader(type: SourceType, column: Column, rawAt: PartReader): PartReader {
  if (type.kind === 'struct') return objectReader(type, column as StructColumn, rawAt);
  const typedAt = type.kind === 'list' ? arrayReader(type, column as ListColumn) : scalarReader(type, column);
  return (row, dictionary) => {
    const raw = rawAt(row, dictionary);
    if (!isValid(column, row)) return raw;
    if (raw !== null) throw invalidData('it has both a typed and an untyped value');
    return typedAt(row, dictionary);
  };
}

/** Fields without a column of their own are in the untyped value. */
function objectReader(type: StructSource, column: StructColumn, rawAt: PartReader): PartReader {
  const fields = type.fields.map(({ name, type: part }, i) => ({
    name,
    partAt: partReader(part, column.children[i]!),
  }));
  const names = new Set(fields.map(({ name }) => name));
  return (row, dictionary) => {
    const raw = rawAt(row, dictionary);
    if (!isValid(column, row)) return raw;
    const present = raw === null ? [] : untypedFields(raw, names, dictionary);
    for (const { name, partAt } of fields) {
      const part = partAt(row, dictionary);
      if (part === null) continue;
      dictionary.add(name);
      present.push([name, part]);
    }
    return encodeVariantObject(present, dictionary.ids);
  };
}

function untypedFields(raw: Uint8Array, typed: ReadonlySet<string>, dictionary: Dictionary): [string, Uint8Array][] {
  const node = decodeVariantValue(dictionary.names, raw);
  if (node.type !== 'object') throw invalidData('it is an object in its typed value only');
  const untyped = Array.from(node.fields).filter(([name]) => !typed.has(name));
  return untyped.map(([name, field]) => [name, encodeNode(field, dictionary.ids)]);
}

function arrayReader(type: Extract<SourceType, { kind: 'list' }>, { offsets, items }: ListColumn): PartReader {
  const itemAt = partReader(type.item.type, items);
  return (row, dictionary) => {
    const values: Uint8Array[] = [];
    for (let i = offsets[row]!; i < offsets[row + 1]!; i++) values.push(itemAt(i, dictionary) ?? VARIANT_NULL);
    return encodeVariantArray(values);
  };
}

const NO_IDS: ReadonlyMap<string, number> = new Map();

function scalarReader(type: SourceType, column: Column): PartReader {
  if (type.kind === 'utf8') return (row) => encodeVariantText(bytesAt(column as VariableColumn, row));
  const nodeAt = scalarNodes(type, column);
  if (nodeAt === null) throw invalidData(`a part of it is of type ${sourceTypeToText(type)}`);
  return (row) => encodeNode(nodeAt(row), NO_IDS);
}

/** By the table "Shredded Value Types". Null for types that are none. */
function scalarNodes(type: SourceType, column: Column): ((row: number) => VariantNode) | null {
  const { values } = column as NumbersColumn;
  switch (type.kind) {
    case 'bool':
      return (row) => ({ type: 'boolean', value: getBit((column as BitsColumn).bits, row) });
    case 'int':
      if (!type.signed) return null;
      return type.bits === 64
        ? (row) => ({ type: 'int64', value: values[row] as bigint })
        : (row) => ({ type: `int${type.bits as 8 | 16 | 32}`, value: values[row] as number });
    case 'float':
      return (row) => ({ type: type.bits === 32 ? 'float' : 'double', value: values[row] as number });
    case 'decimal': {
      const view = viewOf((column as FixedColumn).bytes);
      return (row) => ({ type: decimalNode(type.precision), unscaled: readDecimal(view, row), scale: type.scale });
    }
    case 'date':
      return type.unit === 'day' ? (row) => ({ type: 'date', value: values[row] as number }) : null;
    case 'time':
      return type.unit === 'us' ? (row) => ({ type: 'time', value: values[row] as bigint }) : null;
    case 'timestamp': {
      const node = TIMESTAMP_NODES[`${type.unit}${type.zoned ? 'Z' : ''}`];
      return node ? (row) => ({ type: node, value: values[row] as bigint }) : null;
    }
    case 'binary':
      return (row) => ({ type: 'binary', value: bytesAt(column as VariableColumn, row) });
    case 'fixed': {
      const { bytes, width } = column as FixedColumn;
      return width === UUID_WIDTH
        ? (row) => ({ type: 'uuid', value: bytesToUuid(bytes.subarray(row * 16, row * 16 + 16)) })
        : null;
    }
    default:
      return null;
  }
}

const TIMESTAMP_NODES: Readonly<Record<string, 'timestamp' | 'timestamptz' | 'timestamp_ns' | 'timestamptz_ns'>> = {
  us: 'timestamp',
  usZ: 'timestamptz',
  ns: 'timestamp_ns',
  nsZ: 'timestamptz_ns',
};

function decimalNode(precision: number): 'decimal4' | 'decimal8' | 'decimal16' {
  return precision <= 9 ? 'decimal4' : precision <= 18 ? 'decimal8' : 'decimal16';
}

function bytesAt({ bytes, offsets }: VariableColumn, row: number): Uint8Array {
  return bytes.subarray(offsets[row], offsets[row + 1]);
}
