import { Table, tableToIPC } from 'apache-arrow';
import type { Schema as ArrowSchema, RecordBatch } from 'apache-arrow';

import { arrowSchemaNamed } from '../../columns/arrow-schema.ts';
import type { Column, ColumnBatch } from '../../columns/column.ts';
import { toRecordBatch } from '../../columns/to-arrow.ts';
import { unsupported } from '../../errors.ts';
import { childFields } from '../../spec/schema-fields.ts';
import type { IcebergType, NestedField, StructType } from '../../spec/types.ts';
import { isWorthDictionary } from './dictionary-choice.ts';
import { parquetName } from './parquet-names.ts';
import { loadParquetWasm } from './wasm.ts';

export type ParquetCodec = 'uncompressed' | 'snappy' | 'gzip' | 'brotli' | 'lz4' | 'zstd';

export interface ParquetEncoding {
  readonly codec: ParquetCodec;
  /** Bytes. */
  readonly pageSize: number;
  /** Bytes. */
  readonly dictionarySize: number;
}

const COMPRESSIONS = {
  uncompressed: 'UNCOMPRESSED',
  snappy: 'SNAPPY',
  gzip: 'GZIP',
  brotli: 'BROTLI',
  lz4: 'LZ4_RAW',
  zstd: 'ZSTD',
} as const;

/** With fewer rows, a dictionary is one page more than what it could save. */
const MIN_ROWS_FOR_DICTIONARY = 64;

/**
 * Encodes batches of one schema, one after the other, as a Parquet file of one row group. The schema must be one that
 * `storedSchema` made.
 */
export async function encodeRowGroup(
  schema: StructType,
  batches: readonly ColumnBatch[],
  encoding: ParquetEncoding,
): Promise<Uint8Array> {
  const wasm = await loadParquetWasm();
  const arrow = arrowSchemaOf(schema);
  const records: RecordBatch[] = batches.map((batch) => toRecordBatch(arrow, batch));
  const rows = batches.reduce((sum, batch) => sum + batch.length, 0);
  const table = wasm.Table.fromIPCStream(tableToIPC(new Table(arrow, records), 'stream'));
  let properties = new wasm.WriterPropertiesBuilder()
    .setCompression(wasm.Compression[COMPRESSIONS[encoding.codec]])
    .setDataPageSizeLimit(encoding.pageSize)
    .setDictionaryPageSizeLimit(encoding.dictionarySize)
    .setDictionaryEnabled(rows >= MIN_ROWS_FOR_DICTIONARY)
    .setMaxRowGroupSize(Math.max(1, rows));
  for (const [i, { name }] of schema.fields.entries()) {
    const parts = batches.map(({ columns }) => columns[i]!);
    const worth = isWorthDictionary(parts, encoding.dictionarySize);
    if (worth !== null) properties = properties.setColumnDictionaryEnabled(parquetName(name), worth);
  }
  // Both are given away: the table and the properties are freed by the encoder.
  return wasm.writeParquet(table, properties.build());
}

const arrowSchemas = new WeakMap<StructType, ArrowSchema>();

function arrowSchemaOf(schema: StructType): ArrowSchema {
  let arrow = arrowSchemas.get(schema);
  if (arrow === undefined) arrowSchemas.set(schema, (arrow = arrowSchemaNamed(schema, parquetName)));
  return arrow;
}

/**
 * What of a schema a Parquet file stores: everything but columns of type unknown, which hold nothing (spec: appendix A,
 * "Parquet"). UNSUPPORTED where that would leave an empty group.
 */
export interface StoredSchema {
  readonly schema: StructType;
  /** Leaves out of a batch what is not stored. */
  readonly store: (batch: ColumnBatch) => ColumnBatch;
}

export function storedSchema(schema: StructType): StoredSchema {
  for (const field of schema.fields) checkDepth(field.type, 1, field.name);
  const pruned = pruneStruct(schema, '');
  if (pruned === null) return { schema, store: (batch) => batch };
  return {
    schema: pruned.type as StructType,
    store: (batch) => {
      const struct: Column = { layout: 'struct', length: batch.length, validity: null, children: batch.columns };
      const stored = pruned.prune(struct) as Extract<Column, { layout: 'struct' }>;
      return { length: batch.length, columns: stored.children };
    },
  };
}

/** Deeper than this, the encoder's own limits on nested schemas come into sight. */
const MAX_NESTING = 30;

function checkDepth(type: IcebergType, depth: number, column: string): void {
  if (depth > MAX_NESTING) {
    throw unsupported(`Column '${column}' is nested more than ${MAX_NESTING} levels deep, which can't be written.`);
  }
  for (const child of childFields(type)) checkDepth(child.type, depth + 1, column);
}

interface Pruned {
  readonly type: IcebergType;
  readonly prune: (column: Column) => Column;
}

/** Null if nothing has to be left out. */
function pruneType(type: IcebergType, path: string): Pruned | null {
  switch (type.kind) {
    case 'struct':
      return pruneStruct(type, path);
    case 'list': {
      const element = pruneItem(type.element, `${path}.element`);
      return (
        element && { type: { ...type, element: element.type }, prune: (column) => pruneItems(column, element.prune) }
      );
    }
    case 'map': {
      const [key, value] = [pruneItem(type.key, `${path}.key`), pruneItem(type.value, `${path}.value`)];
      if (key === null && value === null) return null;
      const entry = (column: Column): Column => {
        const { children, ...rest } = column as Extract<Column, { layout: 'struct' }>;
        return {
          ...rest,
          children: [key ? key.prune(children[0]!) : children[0]!, value ? value.prune(children[1]!) : children[1]!],
        };
      };
      return {
        type: { ...type, key: key?.type ?? type.key, value: value?.type ?? type.value },
        prune: (column) => pruneItems(column, entry),
      };
    }
    default:
      return null;
  }
}

function pruneItems(column: Column, prune: (column: Column) => Column): Column {
  const list = column as Extract<Column, { layout: 'list' }>;
  return { ...list, items: prune(list.items) };
}

function pruneItem(type: IcebergType, path: string): Pruned | null {
  if (type.kind === 'unknown') {
    throw unsupported(
      `'${path.slice(1)}' is of type unknown inside a list or map, which a Parquet file can't hold. Give it a type first.`,
    );
  }
  return pruneType(type, path);
}

function pruneStruct(struct: StructType, path: string): Pruned | null {
  const children = struct.fields.map((field) => ({ field, pruned: pruneType(field.type, `${path}.${field.name}`) }));
  const kept = children.map(({ field }, i) => (field.type.kind === 'unknown' ? -1 : i)).filter((i) => i >= 0);
  if (kept.length === 0) {
    const what = path === '' ? 'The schema' : `The struct '${path.slice(1)}'`;
    throw unsupported(
      `${what} has no column with a known type, and a Parquet file needs one at least. Add a column first.`,
    );
  }
  if (kept.length === children.length && children.every(({ pruned }) => pruned === null)) return null;
  const fields = kept.map((i): NestedField => {
    const { field, pruned } = children[i]!;
    return pruned ? { ...field, type: pruned.type } : field;
  });
  return {
    type: { kind: 'struct', fields },
    prune: (column) => {
      const source = column as Extract<Column, { layout: 'struct' }>;
      return {
        ...source,
        children: kept.map((i) => children[i]!.pruned?.prune(source.children[i]!) ?? source.children[i]!),
      };
    },
  };
}
