import type { DuckDBConnection } from '@duckdb/node-api';
import { LakehouseError } from '@lh/core';
import { duckdbError } from '../errors.ts';
import { fileList } from './file-list.ts';

/** One node of a Parquet file's schema, with list and map wrappers taken off. */
export interface FileNode {
  readonly name: string;
  readonly fieldId: number | null;
  readonly kind: 'leaf' | 'struct' | 'list' | 'map';
  /** DuckDB's type of a leaf, as SQL text. */
  readonly type: string | null;
  /** A struct's fields; a list's element; a map's key and value. */
  readonly children: readonly FileNode[];
}

/** A file's schema; files with equal schemas share one object. */
export interface FileSchema {
  readonly fields: readonly FileNode[];
  /** At least one field has an id. */
  readonly hasIds: boolean;
}

/** Schemas of files by name. Data files never change, so what was read once stays true. */
export class FileSchemas {
  /** Null for files in codecs or encodings that DuckDB lacks, or whose variants it takes for structs. */
  readonly #byName = new Map<string, FileSchema | null>();
  readonly #byFingerprint = new Map<string, FileSchema>();
  readonly #capacity: number;

  constructor(capacity = 200_000) {
    this.#capacity = capacity;
  }

  /**
   * Reads the footers of files that weren't seen before. Files are known by their names, which are paths of the local
   * disk, unless `locate` gives those paths for the names that it is asked for. Null for a file that DuckDB can't read.
   */
  async load(
    connection: DuckDBConnection,
    names: readonly string[],
    locate: (names: readonly string[]) => Promise<readonly string[]> = (paths) => Promise.resolve(paths),
  ): Promise<ReadonlyMap<string, FileSchema | null>> {
    const missing = names.filter((name) => !this.#byName.has(name));
    if (missing.length > 0) {
      const paths = await locate(missing);
      const schemas = await this.#read(connection, [...new Set(paths)]);
      for (const [i, name] of missing.entries()) {
        const schema = schemas.get(paths[i]!);
        if (schema === undefined)
          throw new LakehouseError('NOT_FOUND', `The data file ${name} is missing.`, { context: { path: name } });
        this.#byName.set(name, schema);
      }
    }
    const found = new Map(names.map((name) => [name, this.#byName.get(name)!]));
    this.#trim();
    return found;
  }

  async #read(connection: DuckDBConnection, paths: readonly string[]): Promise<ReadonlyMap<string, FileSchema | null>> {
    const schemas = new Map<string, FileSchema | null>();
    const unreadable = new Set(await unreadableFiles(connection, paths));
    const fingerprints = await query(
      connection,
      `SELECT file_name, string_agg(concat_ws('|', ${NODE_COLUMNS.map((column) => `coalesce(CAST(${column} AS VARCHAR), '')`).join(', ')}), chr(10) ORDER BY column_id)
       FROM parquet_schema(${fileList(paths)}) GROUP BY file_name`,
    );
    for (const [name, fingerprint] of fingerprints) {
      const [path, key] = [String(name), String(fingerprint)];
      let schema = this.#byFingerprint.get(key);
      if (!schema) {
        const rows = await query(
          connection,
          `SELECT ${NODE_COLUMNS.join(', ')} FROM parquet_schema(${fileList([path])}) ORDER BY column_id`,
        );
        schema = buildSchema(rows.map(readRow));
        this.#byFingerprint.set(key, schema);
      }
      const isReadable = !unreadable.has(path) && (await knowsVariants(connection, path, schema));
      schemas.set(path, isReadable ? schema : null);
    }
    return schemas;
  }

  #trim(): void {
    for (const name of this.#byName.keys()) {
      if (this.#byName.size <= this.#capacity) break;
      this.#byName.delete(name);
    }
  }
}

/** Column chunks that DuckDB refuses: Hadoop's framing of LZ4, LZO, and streams of bytes split by integers. */
const UNREADABLE = `compression IN ('LZ4', 'LZO') OR (contains(encodings, 'BYTE_STREAM_SPLIT') AND "type" NOT IN ('FLOAT', 'DOUBLE'))`;

async function unreadableFiles(connection: DuckDBConnection, paths: readonly string[]): Promise<readonly string[]> {
  try {
    const reader = await connection.runAndReadAll(
      `SELECT DISTINCT file_name FROM parquet_metadata(${fileList(paths)}) WHERE ${UNREADABLE}`,
    );
    return reader.getRows().map(([path]) => String(path));
  } catch (error) {
    // It prints statistics on the way, and fails on some (nanoseconds beyond its calendar): one file must not hide others.
    if (paths.length === 1) {
      if (error instanceof Error && error.message.startsWith('Conversion Error')) return [];
      throw duckdbError(error);
    }
    const each: string[] = [];
    for (const path of paths) each.push(...(await unreadableFiles(connection, [path])));
    return each;
  }
}

/** Groups that are laid out as variants are. */
function countVariants(node: FileNode): number {
  return isVariant(node) ? 1 : node.children.reduce((sum, child) => sum + countVariants(child), 0);
}

export function isVariant({ kind, children }: FileNode): boolean {
  const names = new Set(children.map(({ name }) => name));
  return kind === 'struct' && names.has('metadata') && (names.has('value') || names.has('typed_value'));
}

/** DuckDB knows variants by an annotation that early writers left out, and that `parquet_schema` doesn't show. */
async function knowsVariants(connection: DuckDBConnection, path: string, schema: FileSchema): Promise<boolean> {
  const count = schema.fields.reduce((sum, field) => sum + countVariants(field), 0);
  if (count === 0) return true;
  const columns = await query(connection, `DESCRIBE SELECT * FROM read_parquet(${fileList([path])})`);
  const known = columns.reduce((sum, [, type]) => sum + String(type).split(/\bVARIANT\b/).length - 1, 0);
  return known === count;
}

async function query(connection: DuckDBConnection, sql: string): Promise<readonly (readonly unknown[])[]> {
  try {
    return (await connection.runAndReadAll(sql)).getRows();
  } catch (error) {
    throw duckdbError(error);
  }
}

const NODE_COLUMNS = [
  'name',
  'duckdb_type',
  'num_children',
  'repetition_type',
  'converted_type',
  'logical_type',
  'field_id',
];

/** A timestamp of nanoseconds in UTC, which DuckDB cuts to microseconds. */
export const ZONED_NANOS = 'TIMESTAMPTZ_NS';

interface SchemaRow {
  readonly name: string;
  readonly type: string | null;
  readonly childCount: number;
  readonly isRepeated: boolean;
  readonly annotation: 'list' | 'map' | null;
  readonly fieldId: number | null;
}

function readRow([name, type, childCount, repetition, converted, logical, fieldId]: readonly unknown[]): SchemaRow {
  const note = `${String(converted ?? '')} ${String(logical ?? '')}`;
  const annotation = /\bLIST\b|ListType/.test(note)
    ? 'list'
    : /\bMAP(?:_KEY_VALUE)?\b|MapType/.test(note)
      ? 'map'
      : null;
  return {
    name: String(name),
    type: leafType(type === null ? null : String(type), String(logical ?? '')),
    childCount: childCount === null ? 0 : Number(childCount),
    isRepeated: repetition === 'REPEATED',
    annotation,
    fieldId: fieldId === null ? null : Number(fieldId),
  };
}

/** `read_parquet`'s type of a leaf, which differs from `parquet_schema`'s for a few. */
function leafType(type: string | null, logical: string): string | null {
  if (/^Geo(?:metry|graphy)Type/.test(logical)) return 'GEOMETRY';
  if (/isAdjustedToUTC=1.*NANOS=NanoSeconds/.test(logical)) return ZONED_NANOS;
  return type;
}

interface RawNode extends SchemaRow {
  readonly children: readonly RawNode[];
}

/** The rows are the schema's nodes, depth first; the first is the root. */
function buildSchema(rows: readonly SchemaRow[]): FileSchema {
  let at = 0;
  const next = (): RawNode => {
    const row = rows[at++]!;
    return { ...row, children: Array.from({ length: row.childCount }, next) };
  };
  const fields = next().children.map(unwrap);
  return { fields, hasIds: rows.some((row) => row.fieldId !== null) };
}

/** Takes off the wrappers of lists and maps (Parquet: "Nested Types", with the older forms that it still allows). */
function unwrap(node: RawNode): FileNode {
  const { name, fieldId } = node;
  const make = (kind: FileNode['kind'], children: readonly FileNode[]): FileNode => ({
    name,
    fieldId,
    kind,
    type: node.type,
    children,
  });
  const [only] = node.children;
  if (node.annotation === 'map' && only?.isRepeated && only.children.length === 2)
    return make('map', only.children.map(unwrap));
  if (node.annotation === 'list' && only?.isRepeated) return make('list', [unwrap(listElement(node, only))]);
  // A repeated field without annotation is a list of itself.
  if (node.isRepeated) return make('list', [unwrap({ ...node, isRepeated: false })]);
  if (node.children.length > 0 || node.type === null) return make('struct', node.children.map(unwrap));
  return make('leaf', []);
}

/** The element is inside the repeated group, unless that group is the element of a two-level list. */
function listElement(list: RawNode, repeated: RawNode): RawNode {
  const [inner, ...others] = repeated.children;
  const isElement = !inner || others.length > 0 || repeated.name === 'array' || repeated.name === `${list.name}_tuple`;
  return isElement ? { ...repeated, isRepeated: false } : inner;
}
