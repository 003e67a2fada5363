import type { DuckDBConnection } from '@duckdb/node-api';
import type { FileIO, FileScanTask, Schema } from '@lh/core';
import { METADATA_COLUMNS, deleteLoader, lookAhead, readTaskColumns } from '@lh/core/engine';
import type { ColumnBatch, DeleteLoader, MetadataColumn, NameMapping, PositionBitmap } from '@lh/core/engine';
import type { QueryRows } from '../feed/query-rows.ts';
import { quoteName } from '../text/quote.ts';
import { duckdbNames } from '../types/duckdb-types.ts';
import { valueLiteral } from '../types/value-literal.ts';
import { withVariantBytes } from '../types/variant-bytes.ts';
import { EqualityDeletes } from './equality-deletes.ts';
import type { AppliedKeys } from './equality-deletes.ts';
import { STORED_METADATA, readFiles } from './file-reads.ts';
import type { FileToRead } from './file-reads.ts';
import type { FileSchemas } from './file-schema.ts';
import { locateFiles } from './locate-files.ts';
import type { LocatedFile } from './locate-files.ts';
import { hidesVirtualColumns } from './per-file.ts';
import { FileProjector } from './project-file.ts';

export interface RelationSource {
  readonly connection: DuckDBConnection;
  readonly io: FileIO;
  readonly schema: Schema;
  /** Given after the columns of the schema. */
  readonly metadataColumns: readonly MetadataColumn[];
  /** Indexes of the schema's columns that the query reads; null if that isn't known. */
  readonly columns: ReadonlySet<number> | null;
  /** So many rows are enough, whichever they are; null if all are needed. */
  readonly maxRows: number | null;
  /** The query only hands variants on: they are given as their bytes. */
  readonly variantBytes: boolean;
  readonly nameMapping: NameMapping | null;
  readonly files: FileSchemas;
  /** Reads position deletes, for any number of scans: they name their data files. */
  readonly positions: DeleteLoader;
  /** Indexes of columns that DuckDB must not judge by statistics. */
  readonly guarded: ReadonlySet<number>;
  /** No column of the table begins with it. */
  readonly hiddenPrefix: string;
  readonly rows: QueryRows;
  readonly signal: AbortSignal | undefined;
}

/**
 * A query without parentheses that gives the live rows of a scan's files: the columns of the schema and the metadata
 * columns, in order. Files that DuckDB can't read exactly are read by core.
 */
export async function scanRelation(source: RelationSource, tasks: readonly FileScanTask[]): Promise<string> {
  const { forDuckDB, forCore } = await shareOut(source, tasks);
  const reads = [...(await readFiles(source, forDuckDB))];
  if (forCore.length > 0) reads.push(await readWithCore(source, forCore));
  return reads.length === 0 ? emptyRelation(relationSchema(source)) : reads.join('\nUNION ALL\n');
}

/** A prefix for names of columns that the table surely hasn't. */
export function hiddenPrefix(schema: Schema): string {
  let prefix = '__lh_';
  while (schema.fields.some(({ name }) => name.toLowerCase().startsWith(prefix))) prefix += '_';
  return prefix;
}

/** No rows, with the columns and types of a schema. */
export function emptyRelation(schema: Schema): string {
  if (schema.fields.length === 0) return 'SELECT NULL AS "no columns" WHERE false';
  const names = duckdbNames(schema);
  const columns = schema.fields.map(({ type }, i) => `${valueLiteral(type, null)} AS ${quoteName(names[i]!)}`);
  return `SELECT ${columns.join(', ')} WHERE false`;
}

interface Shares {
  readonly forDuckDB: readonly FileToRead[];
  readonly forCore: readonly FileScanTask[];
}

async function shareOut(source: RelationSource, tasks: readonly FileScanTask[]): Promise<Shares> {
  // DuckDB reads variants as its own.
  if (source.variantBytes) return { forDuckDB: [], forCore: tasks };
  const equality = new EqualityDeletes(source.schema, source.hiddenPrefix);
  const projectors = new Projectors(source);
  const forDuckDB: FileToRead[] = [];
  const forCore: FileScanTask[] = [];
  for await (const { file, positions } of withPositions(source, await locateFiles(source, tasks))) {
    const keys = equality.forTask(file.task);
    const read = keys && readOf(source, projectors, file, positions, keys);
    if (read === null) forCore.push(file.task);
    else forDuckDB.push(read);
  }
  return { forDuckDB, forCore };
}

/** Null if DuckDB can't read the file exactly. */
function readOf(
  source: RelationSource,
  projectors: Projectors,
  { task, path, schema }: LocatedFile,
  positions: PositionBitmap | null,
  keys: readonly AppliedKeys[],
): FileToRead | null {
  if (path === null) return null;
  const needsPlaces = positions !== null || keys.length > 0 || source.metadataColumns.length > 0;
  if (needsPlaces && hidesVirtualColumns(schema.fields.map(({ name }) => name))) return null;
  const list = projectors.of(keys).tryProject(schema, task);
  return list && { task, path, list, positions, keys };
}

/** Files whose position deletes are read at a time. */
const CONCURRENCY = 4;

/** The positions that are deleted from each file that DuckDB will read; null where none is. */
async function* withPositions(
  { positions, signal }: RelationSource,
  files: readonly LocatedFile[],
): AsyncGenerator<{ readonly file: LocatedFile; readonly positions: PositionBitmap | null }> {
  yield* lookAhead(files, CONCURRENCY, async (file) => {
    const needed = file.path !== null && file.task.deletes.length > 0;
    return { file, positions: needed ? await positions.positions(file.task, signal ? { signal } : {}) : null };
  });
}

/** Files with equality deletes are read with the columns of their keys, which the table may have dropped. */
class Projectors {
  readonly #source: RelationSource;
  readonly #byKeys = new Map<string, FileProjector>();

  constructor(source: RelationSource) {
    this.#source = source;
  }

  of(applied: readonly AppliedKeys[]): FileProjector {
    const key = applied.map(({ keys }) => keys.columns.ids.join()).join(';');
    let projector = this.#byKeys.get(key);
    if (!projector) {
      const { schema, metadataColumns, hiddenPrefix: prefix, guarded } = this.#source;
      const stored = STORED_METADATA.filter(({ name }) => metadataColumns.some((wanted) => wanted === name));
      const hidden = [
        ...stored.map((field) => ({ ...field, name: `${prefix}${field.name}` })),
        ...applied.flatMap(({ keys }) => keys.fields),
      ];
      projector = new FileProjector({ ...schema, fields: [...schema.fields, ...hidden] }, guarded);
      this.#byKeys.set(key, projector);
    }
    return projector;
  }
}

/** Columns that the query doesn't read are null. */
async function readWithCore(source: RelationSource, tasks: readonly FileScanTask[]): Promise<string> {
  const { schema, columns } = source;
  const isRead = (index: number): boolean => columns === null || columns.has(index);
  const fields = schema.fields.filter((_, i) => isRead(i));
  // Some column has to be read; this one is in no file.
  const metadataColumns = fields.length + source.metadataColumns.length > 0 ? source.metadataColumns : POSITION;
  const read = { ...source, schema: { ...schema, fields }, metadataColumns };
  const rows = await source.rows.collect(relationSchema(read), coreBatches(read, tasks), source.maxRows);
  if (fields.length === schema.fields.length) return rows;
  const relation = relationSchema(source);
  const names = duckdbNames(relation).map(quoteName);
  const list = relation.fields.map(({ type }, i) =>
    i >= schema.fields.length || isRead(i) ? names[i]! : `${valueLiteral(type, null)} AS ${names[i]!}`,
  );
  return `SELECT ${list.join(', ')} FROM (${rows})`;
}

const POSITION: readonly MetadataColumn[] = ['_pos'];

/** The live rows of files, as core reads them; those that fail the tasks' residuals may be missing. */
async function* coreBatches(
  { io, schema, metadataColumns, nameMapping, signal }: RelationSource,
  tasks: readonly FileScanTask[],
): AsyncGenerator<ColumnBatch> {
  const options = {
    projection: schema,
    metadataColumns,
    deletes: deleteLoader(io),
    ...(nameMapping && { nameMapping }),
    ...(signal && { signal }),
  };
  for (const task of tasks) yield* readTaskColumns(io, task, options);
}

/** The columns of a scan's relation. */
export function relationSchema({
  schema,
  metadataColumns,
  variantBytes,
}: Pick<RelationSource, 'schema' | 'metadataColumns' | 'variantBytes'>): Schema {
  const fields = [...schema.fields, ...metadataColumns.map((name) => METADATA_COLUMNS[name])];
  return { ...schema, fields: variantBytes ? withVariantBytes(fields) : fields };
}
