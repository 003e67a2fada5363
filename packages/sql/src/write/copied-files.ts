import type { StructType } from '@lh/core';
import { quoteName } from '../text/quote.ts';
import type { FileDescription } from '@lh/core/engine';
import type { StoredColumn } from './stored-columns.ts';

/** A file that COPY wrote, as RETURN_STATS tells of it. */
export interface CopiedFile {
  readonly path: string;
  readonly rows: number;
  /** Bytes. */
  readonly size: number;
  /** By the partition columns' names; null for null. */
  readonly partition: ReadonlyMap<string, string | null>;
  /** By the quoted path of a column. */
  readonly statistics: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** The rows of a COPY with RETURN_STATS, whose maps come as `Map`s or as lists of key and value. */
export function copiedFiles(rows: readonly Readonly<Record<string, unknown>>[]): readonly CopiedFile[] {
  return rows
    .map((row) => ({
      path: String(row['filename']),
      rows: Number(row['count']),
      size: Number(row['file_size_bytes']),
      partition: mapOf(row['partition_keys'], (value) => (value === null ? null : String(value))),
      statistics: mapOf(row['column_statistics'], (value) => mapOf(value, String)),
    }))
    .filter((file) => file.rows > 0);
}

interface Entry {
  readonly key: unknown;
  readonly value: unknown;
}

function mapOf<T>(map: unknown, convert: (value: unknown) => T): ReadonlyMap<string, T> {
  const entries =
    map instanceof Map
      ? [...(map as ReadonlyMap<unknown, unknown>)]
      : ((map ?? []) as readonly Entry[]).map(({ key, value }) => [key, value] as const);
  return new Map(entries.map(([key, value]) => [String(key), convert(value)]));
}

/**
 * What DuckDB knows of the columns of floating-point numbers, by field id. Where there is no NaN, their count is 0 and
 * the footer has the bounds. Where there is one, it doesn't count them, and gives the bounds of the other values here only.
 */
export function floatMetrics(columns: readonly StoredColumn[], { statistics }: CopiedFile): FileDescription['values'] {
  const values = new Map<number, { readonly nanCount: number | null; readonly bounds: Bounds | null }>();
  for (const { id, kind, path } of floatColumns(
    columns.map(({ field, name }) => ({ ...field, name })),
    [],
  )) {
    const found = statistics.get(path);
    const hasNaN = found?.get('has_nan');
    if (found === undefined || hasNaN === undefined) continue;
    values.set(
      id,
      hasNaN === 'false' ? { nanCount: 0, bounds: null } : { nanCount: null, bounds: boundsOf(kind, found) },
    );
  }
  return values;
}

type Bounds = { readonly lower: Uint8Array | null; readonly upper: Uint8Array | null };
type FloatKind = 'float' | 'double';

function* floatColumns(
  fields: StructType['fields'],
  parents: readonly string[],
): Generator<{ readonly id: number; readonly kind: FloatKind; readonly path: string }> {
  for (const { id, name, type } of fields) {
    const path = [...parents, quoteName(name)];
    if (type.kind === 'struct') yield* floatColumns(type.fields, path);
    if (type.kind === 'float' || type.kind === 'double') yield { id, kind: type.kind, path: path.join('.') };
  }
}

function boundsOf(kind: FloatKind, found: ReadonlyMap<string, string>): Bounds {
  const [min, max] = [toFloat(found.get('min')), toFloat(found.get('max'))];
  // Of nothing but NaN it gives what it began with.
  if (min === null || max === null || min > max) return { lower: null, upper: null };
  // A zero may stand for that of the other sign.
  return { lower: bytesOf(kind, min === 0 ? -0 : min), upper: bytesOf(kind, max === 0 ? 0 : max) };
}

function toFloat(text: string | undefined): number | null {
  if (text === undefined || /nan/i.test(text)) return null;
  const infinite = /^(-?)inf/i.exec(text);
  if (infinite) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return text === '' ? null : Number(text);
}

/** Its single-value form (spec: appendix D). */
function bytesOf(kind: FloatKind, value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(kind === 'float' ? 4 : 8));
  if (kind === 'float') view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return new Uint8Array(view.buffer);
}
