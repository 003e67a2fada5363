import { formatDate, formatDecimal, formatTime, formatTimestamp } from '@lh/core/engine';
import type { IcebergType, StructType, Variant } from '@lh/core';

/**
 * Rows as canonical text, one JSON object a line, sorted: the form that expectations are compared in. Exact for every
 * type and the same for every reader. A value of another JavaScript type than the README promises is an error.
 */
export function canonicalRows(schema: StructType, rows: Iterable<unknown>): string[] {
  return Array.from(rows, (row) => structText(schema, row)).toSorted();
}

function structText(type: StructType, value: unknown): string {
  const object = value as Readonly<Record<string, unknown>>;
  const names = type.fields.map(({ name }) => name);
  const found = Object.keys(object);
  if (found.length !== names.length || names.some((name) => !Object.hasOwn(object, name))) {
    throw new Error(`Fields ${found.join(', ')} where ${names.join(', ')} are expected`);
  }
  return `{${type.fields.map((field) => `${quote(field.name)}:${text(field.type, object[field.name])}`).join(',')}}`;
}

function text(type: IcebergType, value: unknown): string {
  if (value === null) return 'null';
  switch (type.kind) {
    case 'boolean':
      return String(of('boolean', value));
    case 'int':
      return String(of('number', value));
    case 'long':
      return quote(String(of('bigint', value)));
    case 'float':
    case 'double':
      return numberText(of('number', value) as number);
    case 'fixed':
    case 'binary':
    case 'geometry':
    case 'geography':
      return quote(hex(value));
    case 'struct':
      return structText(type, value);
    case 'list':
      return `[${(value as unknown[]).map((element) => text(type.element, element)).join(',')}]`;
    case 'map': {
      const entries = Array.from(value as Iterable<[unknown, unknown]>, ([key, item]) => {
        const keyText = text(type.key, key);
        return { keyText, line: `[${keyText},${text(type.value, item)}]` };
      });
      entries.sort((a, b) => (a.keyText < b.keyText ? -1 : a.keyText > b.keyText ? 1 : 0));
      return `[${entries.map((entry) => entry.line).join(',')}]`;
    }
    case 'variant':
      return variantText(value);
    case 'timestamptz_ns': {
      // DuckDB has no such type: its TIMESTAMP_NS holds the time in UTC, and its text has no Z.
      const time = of('string', value) as string;
      return quote(time.endsWith('Z') ? time : `${time}Z`);
    }
    default:
      return quote(of('string', value) as string);
  }
}

function of(type: 'boolean' | 'number' | 'bigint' | 'string', value: unknown): unknown {
  if (typeof value !== type) throw new Error(`A ${typeof value} where a ${type} is expected: ${String(value)}`);
  return value;
}

function hex(value: unknown): string {
  if (!(value instanceof Uint8Array)) throw new Error(`A ${typeof value} where bytes are expected: ${String(value)}`);
  return Buffer.from(value).toString('hex');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return '"NaN"';
  if (value === Infinity) return '"Infinity"';
  if (value === -Infinity) return '"-Infinity"';
  return Object.is(value, -0) ? '"-0.0"' : String(value);
}

type VariantNode = ReturnType<Variant['toNode']>;

/** A variant with its physical types: what JSON has stands for itself, all else is named. */
function variantText(value: unknown): string {
  if (typeof (value as Partial<Variant>).toNode !== 'function') throw new Error(`${String(value)} is no Variant`);
  return nodeText((value as Variant).toNode());
}

function nodeText(node: VariantNode): string {
  switch (node.type) {
    case 'null':
      return 'null';
    case 'boolean':
      return String(node.value);
    case 'string':
      return quote(node.value);
    case 'array':
      return `[${node.items.map(nodeText).join(',')}]`;
    case 'object': {
      const names = [...node.fields.keys()].toSorted();
      return `{${names.map((name) => `${quote(name)}:${nodeText(node.fields.get(name)!)}`).join(',')}}`;
    }
    default:
      return `{${quote(node.type)}:${physicalText(node)}}`;
  }
}

type Scalar = Exclude<VariantNode, { type: 'null' | 'boolean' | 'array' | 'object' }>;

function physicalText(node: Scalar): string {
  switch (node.type) {
    case 'int8':
    case 'int16':
    case 'int32':
      return String(node.value);
    case 'int64':
      return quote(String(node.value));
    case 'float':
    case 'double':
      return numberText(node.value);
    case 'decimal4':
    case 'decimal8':
    case 'decimal16':
      return quote(formatDecimal(node.unscaled, node.scale));
    case 'date':
      return quote(formatDate(node.value));
    case 'time':
      return quote(formatTime(node.value));
    case 'timestamp':
      return quote(formatTimestamp(node.value, 6));
    case 'timestamptz':
      return quote(`${formatTimestamp(node.value, 6)}Z`);
    case 'timestamp_ns':
      return quote(formatTimestamp(node.value, 9));
    case 'timestamptz_ns':
      return quote(`${formatTimestamp(node.value, 9)}Z`);
    case 'binary':
      return quote(hex(node.value));
    case 'string':
    case 'uuid':
      return quote(node.value);
  }
}

function quote(value: string): string {
  return JSON.stringify(value);
}
