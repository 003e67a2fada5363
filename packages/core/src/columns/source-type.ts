/**
 * The type of a column from outside, a Parquet file or Arrow data, once its physical variants are gone: dictionaries are
 * decoded, offsets are 32 bits wide, views and run ends are laid out plainly, decimals take 16 bytes.
 */
export type SourceType =
  | { readonly kind: 'null' }
  | { readonly kind: 'bool' | 'utf8' | 'binary' }
  | { readonly kind: 'int'; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly kind: 'float'; readonly bits: 32 | 64 }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'date'; readonly unit: 'day' | 'ms' }
  | { readonly kind: 'time'; readonly unit: TimeUnit }
  | { readonly kind: 'timestamp'; readonly unit: TimeUnit; readonly zoned: boolean }
  | { readonly kind: 'fixed'; readonly width: number }
  | { readonly kind: 'struct'; readonly fields: readonly SourceField[] }
  | { readonly kind: 'list'; readonly item: SourceField }
  | { readonly kind: 'map'; readonly key: SourceField; readonly value: SourceField };

export type TimeUnit = 's' | 'ms' | 'us' | 'ns';

export interface SourceField {
  readonly name: string;
  readonly nullable: boolean;
  /** The Parquet field id, where there is one. */
  readonly id: number | null;
  readonly type: SourceType;
  /** Arrow's extension type name (`arrow.uuid`, …). */
  readonly extension?: string;
}

/** For messages: `decimal(10,2)`, `timestamp(us)`, `list<utf8>`. */
export function sourceTypeToText(type: SourceType): string {
  switch (type.kind) {
    case 'null':
    case 'bool':
    case 'utf8':
    case 'binary':
      return type.kind;
    case 'int':
      return `${type.signed ? '' : 'u'}int${type.bits}`;
    case 'float':
      return `float${type.bits}`;
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'date':
      return type.unit === 'day' ? 'date' : 'date(ms)';
    case 'time':
      return `time(${type.unit})`;
    case 'timestamp':
      return `timestamp(${type.unit}${type.zoned ? ', UTC' : ''})`;
    case 'fixed':
      return `fixed(${type.width})`;
    case 'struct':
      return `struct<${type.fields.map((field) => `${field.name}: ${sourceTypeToText(field.type)}`).join(', ')}>`;
    case 'list':
      return `list<${sourceTypeToText(type.item.type)}>`;
    case 'map':
      return `map<${sourceTypeToText(type.key.type)}, ${sourceTypeToText(type.value.type)}>`;
  }
}

/** Nanoseconds in one unit. */
export const UNIT_NANOS: Readonly<Record<TimeUnit, bigint>> = { s: 1_000_000_000n, ms: 1_000_000n, us: 1000n, ns: 1n };
