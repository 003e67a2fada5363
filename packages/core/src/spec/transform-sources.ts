import type { Transform, TransformKind } from './transform.ts';
import type { IcebergType, TypeKind } from './types.ts';

const TIMESTAMPS: readonly TypeKind[] = ['timestamp', 'timestamptz', 'timestamp_ns', 'timestamptz_ns'];
const NUMBERS: readonly TypeKind[] = ['int', 'long', 'decimal'];

/** What each transform can be applied to (spec: "Partition Transforms"); null where every type will do. */
const SOURCES: Readonly<Record<TransformKind, ReadonlySet<TypeKind> | null>> = {
  identity: new Set([
    ...NUMBERS,
    ...TIMESTAMPS,
    ...(['boolean', 'float', 'double', 'date', 'time', 'string', 'uuid', 'fixed', 'binary', 'unknown'] as const),
  ]),
  bucket: new Set([...NUMBERS, ...TIMESTAMPS, ...(['date', 'time', 'string', 'uuid', 'fixed', 'binary'] as const)]),
  truncate: new Set([...NUMBERS, ...(['string', 'binary'] as const)]),
  year: new Set(['date', ...TIMESTAMPS]),
  month: new Set(['date', ...TIMESTAMPS]),
  day: new Set(['date', ...TIMESTAMPS]),
  hour: new Set(TIMESTAMPS),
  void: null,
  unknown: null,
};

/** Whether the transform takes values of the type. */
export function transformAccepts(transform: Transform, source: IcebergType): boolean {
  const sources = SOURCES[transform.kind];
  return sources === null || sources.has(source.kind);
}
