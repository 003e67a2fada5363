import type { IcebergType, TypeKind } from '../spec/types.ts';

/** How the values of an Iceberg type lie in memory: see `Column`. */
export type Layout =
  | { readonly layout: 'bits' | 'variable' | 'struct' | 'list' | 'nothing' }
  | { readonly layout: 'numbers'; readonly array: 'int32' | 'int64' | 'float32' | 'float64' }
  | { readonly layout: 'fixed'; readonly width: number };

const numbers = (array: 'int32' | 'int64' | 'float32' | 'float64'): (() => Layout) => {
  const layout = { layout: 'numbers', array } as const;
  return () => layout;
};
const simple = (layout: 'bits' | 'variable' | 'struct' | 'list' | 'nothing'): (() => Layout) => {
  const value = { layout } as const;
  return () => value;
};

/** Bytes of a Decimal128. */
export const DECIMAL_WIDTH = 16;
export const UUID_WIDTH = 16;

const LAYOUTS: { readonly [K in TypeKind]: (type: Extract<IcebergType, { kind: K }>) => Layout } = {
  boolean: simple('bits'),
  int: numbers('int32'),
  date: numbers('int32'),
  long: numbers('int64'),
  time: numbers('int64'),
  timestamp: numbers('int64'),
  timestamptz: numbers('int64'),
  timestamp_ns: numbers('int64'),
  timestamptz_ns: numbers('int64'),
  float: numbers('float32'),
  double: numbers('float64'),
  decimal: () => ({ layout: 'fixed', width: DECIMAL_WIDTH }),
  uuid: () => ({ layout: 'fixed', width: UUID_WIDTH }),
  fixed: (type) => ({ layout: 'fixed', width: type.length }),
  string: simple('variable'),
  binary: simple('variable'),
  geometry: simple('variable'),
  geography: simple('variable'),
  variant: simple('struct'),
  struct: simple('struct'),
  list: simple('list'),
  map: simple('list'),
  unknown: simple('nothing'),
};

export function layoutOf(type: IcebergType): Layout {
  return (LAYOUTS[type.kind] as (type: IcebergType) => Layout)(type);
}

export function newNumberArray(
  array: 'int32' | 'int64' | 'float32' | 'float64',
  length: number,
): Int32Array | BigInt64Array | Float32Array | Float64Array {
  switch (array) {
    case 'int32':
      return new Int32Array(length);
    case 'int64':
      return new BigInt64Array(length);
    case 'float32':
      return new Float32Array(length);
    case 'float64':
      return new Float64Array(length);
  }
}
