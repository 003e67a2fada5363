import { partitionBy } from '@lh/core';
import type { PartitionFieldInput, SortFieldInput, Transform } from '@lh/core';
import type { TokenReader } from '../token-reader.ts';

/** A column under a transform. */
export interface TransformedColumn {
  readonly column: string;
  readonly transform: Transform;
}

/** Spark's and Trino's names of transforms. */
const TRANSFORMS: ReadonlyMap<string, (column: string) => PartitionFieldInput> = new Map([
  ['identity', partitionBy.identity],
  ['year', partitionBy.year],
  ['years', partitionBy.year],
  ['month', partitionBy.month],
  ['months', partitionBy.month],
  ['day', partitionBy.day],
  ['days', partitionBy.day],
  ['date', partitionBy.day],
  ['hour', partitionBy.hour],
  ['hours', partitionBy.hour],
  ['date_hour', partitionBy.hour],
  ['void', (column) => ({ column, transform: { kind: 'void' } })],
]);

/** `x`, `days(ts)`, `bucket(16, id)` as Spark has it, or `bucket(id, 16)` as Trino has it. */
export function readTransformed(reader: TokenReader): TransformedColumn {
  const at = reader.index;
  const name = reader.name('a column, or a transform of one');
  if (!reader.isAtSymbol('(')) return partitionBy.identity(name.join('.'));
  const transform = name.join('.').toLowerCase();
  const inner = reader.brackets('the transform');
  const make = TRANSFORMS.get(transform);
  if (make) {
    const column = inner.name('a column').join('.');
    inner.end();
    return make(column);
  }
  if (transform !== 'bucket' && transform !== 'truncate') {
    const known = [...TRANSFORMS.keys(), 'bucket', 'truncate'].join(', ');
    throw reader.error(`'${name.join('.')}' is no transform; there are ${known}.`, at);
  }
  const [column, size] = readColumnAndSize(inner);
  return transform === 'bucket' ? partitionBy.bucket(size, column) : partitionBy.truncate(size, column);
}

function readColumnAndSize(reader: TokenReader): readonly [column: string, size: number] {
  const isSizeFirst = reader.peek()?.kind === 'number';
  const size = isSizeFirst ? readSize(reader) : null;
  if (isSizeFirst) reader.expectSymbol(',');
  const column = reader.name('a column').join('.');
  if (size !== null) {
    reader.end();
    return [column, size];
  }
  reader.expectSymbol(',');
  const last = readSize(reader);
  reader.end();
  return [column, last];
}

function readSize(reader: TokenReader): number {
  const at = reader.index;
  const size = reader.integer('a whole number');
  if (size < 1n || size > 0x7fff_ffffn) throw reader.error('This must be from 1 to 2147483647.', at);
  return Number(size);
}

/** A partition field, maybe with a name of its own: `days(ts) AS day`. */
export function readPartitionField(reader: TokenReader): PartitionFieldInput {
  const field = readTransformed(reader);
  return reader.take('as') ? { ...field, name: reader.word('a name') } : field;
}

/** `bucket(16, id) DESC NULLS LAST`. Without words for it nulls come first if ascending, last if descending. */
export function readSortField(reader: TokenReader): Exclude<SortFieldInput, string> {
  const { column, transform } = readTransformed(reader);
  const direction = reader.takeOneOf('asc', 'desc') === 'desc' ? 'desc' : 'asc';
  const field = { field: column, direction, ...(transform.kind !== 'identity' && { transform }) } as const;
  if (!reader.take('nulls')) return field;
  if (reader.take('first')) return { ...field, nulls: 'first' };
  reader.expect('last');
  return { ...field, nulls: 'last' };
}

/** Fields with commas between them, in brackets or not. */
export function readFields<T>(reader: TokenReader, what: string, read: (reader: TokenReader) => T): readonly T[] {
  if (!reader.isAtSymbol('(')) return reader.list(() => read(reader));
  const inner = reader.brackets(what);
  const fields = inner.list(() => read(inner));
  inner.end();
  return fields;
}
