import { invalidArgument, invalidData } from '../errors.ts';
import type { IcebergType, PrimitiveType, SimpleKind, TypeKind } from './types.ts';

export const MAX_DECIMAL_PRECISION = 38;

/** The coordinate reference system of a geometry or geography that names none (spec: "CRS"). */
export const DEFAULT_CRS = 'OGC:CRS84';

/** How edges are interpolated in a geography that doesn't say (spec: "Edge-Interpolation Algorithm"). */
export const DEFAULT_EDGE_ALGORITHM = 'spherical';

const EDGE_ALGORITHMS: ReadonlySet<string> = new Set(['spherical', 'vincenty', 'thomas', 'andoyer', 'karney']);

const SIMPLE_TYPES: { readonly [K in SimpleKind]: { readonly kind: K } } = {
  boolean: { kind: 'boolean' },
  int: { kind: 'int' },
  long: { kind: 'long' },
  float: { kind: 'float' },
  double: { kind: 'double' },
  date: { kind: 'date' },
  time: { kind: 'time' },
  timestamp: { kind: 'timestamp' },
  timestamptz: { kind: 'timestamptz' },
  timestamp_ns: { kind: 'timestamp_ns' },
  timestamptz_ns: { kind: 'timestamptz_ns' },
  string: { kind: 'string' },
  uuid: { kind: 'uuid' },
  binary: { kind: 'binary' },
  unknown: { kind: 'unknown' },
  variant: { kind: 'variant' },
};

const PARAMETERIZED: readonly [RegExp, (match: RegExpExecArray) => PrimitiveType | undefined][] = [
  [
    /^decimal\s*\(\s*(\d{1,9})\s*,\s*(\d{1,9})\s*\)$/i,
    ([, precision, scale]) => decimalOf(Number(precision), Number(scale)),
  ],
  [/^fixed\s*\[\s*(\d{1,10})\s*\]$/i, ([, length]) => fixedOf(Number(length))],
  [
    /^geometry\s*(?:\(\s*([^)]*?)\s*\))?$/i,
    ([, crs]) => (crs === '' ? undefined : { kind: 'geometry', crs: nonDefaultCrs(crs) }),
  ],
  [/^geography\s*(?:\(\s*([^,)]*?)\s*(?:,\s*(\w+)\s*)?\))?$/i, ([, crs, algorithm]) => geographyOf(crs, algorithm)],
];

/**
 * Reads a type as schemas spell it: `long`, `decimal(9,2)`, `fixed[16]`, `geography(OGC:CRS84, karney)`.
 * INVALID_DATA for anything else.
 */
export function parseType(text: string): PrimitiveType {
  const name = text.trim();
  const simple: unknown =
    Object.hasOwn(SIMPLE_TYPES, name.toLowerCase()) && SIMPLE_TYPES[name.toLowerCase() as SimpleKind];
  if (simple) return simple as PrimitiveType;
  for (const [pattern, make] of PARAMETERIZED) {
    const match = pattern.exec(name);
    const type = match && make(match);
    if (type) return type;
  }
  throw invalidData(`'${text.slice(0, 100)}' is not an Iceberg type.`);
}

/** The canonical text of a type; nested types in the short form used in messages, `list<int>`. */
export function typeToText(type: IcebergType): string {
  const write = TYPE_TEXT[type.kind] as (type: IcebergType) => string;
  return write(type);
}

type TextWriters = { readonly [K in TypeKind]: (type: Extract<IcebergType, { kind: K }>) => string };

const plain = (type: { readonly kind: string }): string => type.kind;

const TYPE_TEXT: TextWriters = {
  boolean: plain,
  int: plain,
  long: plain,
  float: plain,
  double: plain,
  date: plain,
  time: plain,
  timestamp: plain,
  timestamptz: plain,
  timestamp_ns: plain,
  timestamptz_ns: plain,
  string: plain,
  uuid: plain,
  binary: plain,
  unknown: plain,
  variant: plain,
  // With the space: that is what the reference implementation writes and what its older readers expect.
  decimal: ({ precision, scale }) => `decimal(${precision}, ${scale})`,
  fixed: ({ length }) => `fixed[${length}]`,
  geometry: ({ crs }) => `geometry(${crs ?? DEFAULT_CRS})`,
  geography: ({ crs, algorithm }) => `geography(${crs ?? DEFAULT_CRS}, ${algorithm ?? DEFAULT_EDGE_ALGORITHM})`,
  struct: ({ fields }) => `struct<${fields.map((field) => `${field.name}: ${typeToText(field.type)}`).join(', ')}>`,
  list: ({ element }) => `list<${typeToText(element)}>`,
  map: ({ key, value }) => `map<${typeToText(key)}, ${typeToText(value)}>`,
};

/** A simple type by its kind. */
export function simpleType<K extends SimpleKind>(kind: K): { readonly kind: K } {
  return SIMPLE_TYPES[kind];
}

/** INVALID_ARGUMENT unless 1 <= precision <= 38 and 0 <= scale <= precision. */
export function decimalType(precision: number, scale: number): PrimitiveType {
  const type = decimalOf(precision, scale);
  if (type) return type;
  throw invalidArgument(
    `decimal(${precision}, ${scale}) is not a type: the precision must be 1 to ${MAX_DECIMAL_PRECISION}, the scale 0 to the precision.`,
  );
}

/** `length` in bytes. */
export function fixedType(length: number): PrimitiveType {
  const type = fixedOf(length);
  if (type) return type;
  throw invalidArgument(`fixed[${length}] is not a type: the length must be a positive whole number of bytes.`);
}

export function geometryType(crs: string | null = null): PrimitiveType {
  return { kind: 'geometry', crs: nonDefaultCrs(checkedCrs(crs)) };
}

export function geographyType(crs: string | null = null, algorithm: string | null = null): PrimitiveType {
  const type = geographyOf(checkedCrs(crs), algorithm ?? undefined);
  if (type) return type;
  throw invalidArgument(
    `'${algorithm}' is not an edge-interpolation algorithm; use ${[...EDGE_ALGORITHMS].join(', ')}.`,
  );
}

function decimalOf(precision: number, scale: number): PrimitiveType | undefined {
  const valid =
    Number.isInteger(precision) &&
    Number.isInteger(scale) &&
    precision >= 1 &&
    precision <= MAX_DECIMAL_PRECISION &&
    scale >= 0 &&
    scale <= precision;
  return valid ? { kind: 'decimal', precision, scale } : undefined;
}

function fixedOf(length: number): PrimitiveType | undefined {
  return Number.isInteger(length) && length >= 1 && length <= 0x7fff_ffff ? { kind: 'fixed', length } : undefined;
}

function geographyOf(crs: string | undefined, algorithm: string | undefined): PrimitiveType | undefined {
  const name = algorithm?.toLowerCase();
  if (crs === '' || (name !== undefined && !EDGE_ALGORITHMS.has(name))) return undefined;
  return {
    kind: 'geography',
    crs: nonDefaultCrs(crs),
    algorithm: name === undefined || name === DEFAULT_EDGE_ALGORITHM ? null : name,
  };
}

function nonDefaultCrs(crs: string | undefined): string | null {
  return crs === undefined || crs.toUpperCase() === DEFAULT_CRS ? null : crs;
}

/** A CRS is spelled inside a type's parentheses, so it can't hold what delimits it there. */
function checkedCrs(crs: string | null): string | undefined {
  if (crs !== null && (/[(),]/.test(crs) || crs.trim() !== crs || crs === '')) {
    throw invalidArgument(
      `'${crs}' can't be a CRS: it must not be empty nor hold parentheses, commas or outer spaces.`,
    );
  }
  return crs ?? undefined;
}
