import type { DuckDBConnection } from '@duckdb/node-api';
import type { FileIO, FileScanTask, Schema } from '@lh/core';
import { METADATA_COLUMNS, deleteLoader, lookAhead, readTaskColumns } from '@lh/core/engine';
import type {
  ColumnBatch,
  DeleteLoader,
  MetadataColumn,
  NameMapping,
  PositionBitmap,
  PositionsByFile,
} from '@lh/core/engine';
import type { QueryRows } from '../feed/query-rows.ts';
import type { ScanFiles } from '../remote/scan-files.ts';
import { quoteName } from '../text/quote.ts';
import { duckdbNames } from '../types/duckdb-types.ts';
import { valueLiteral } from '../types/value-literal.ts';
import { withVariantBytes } from '../types/variant-bytes.ts';
import { emptyRelation } from './empty-relation.ts';
import { EqualityDeletes } from './equality-deletes.ts';
import type { AppliedKeys } from './equality-deletes.ts';
import { STORED_METADATA, readFiles } from './file-reads.ts';
import type { FileToRead } from './file-reads.ts';
import type { FileSchemas } from './file-schema.ts';
import { locateFiles } from './locate-files.ts';
import type { FilePlace, LocatedFile } from './locate-files.ts';
import { openFiles } from './open-files.ts';
import type { FileNeeds } from './open-files.ts';
import { hidesVirtualColumns } from './per-file.ts';
import { FileProjector } from './project-file.ts';
import type { IsRead, SelectList } from './project-file.ts';

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
  /** Rows to be taken for deleted, which `positions` knows of. */
  readonly leftOut?: PositionsByFile | undefined;
  /** Indexes of columns that DuckDB must not judge by statistics. */
  readonly guarded: ReadonlySet<number>;
  /** No column of the table begins with it. */
  readonly hiddenPrefix: string;
  readonly rows: QueryRows;
  /** Brings files that are not on the local disk there. */
  readonly remote: ScanFiles;
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

interface Shares {
  readonly forDuckDB: readonly FileToRead[];
  readonly forCore: readonly FileScanTask[];
}

async function shareOut(source: RelationSource, tasks: readonly FileScanTask[]): Promise<Shares> {
  const { remote } = source;
  if (source.variantBytes) {
    // DuckDB reads variants as its own.
    remote.count('core', tasks.length);
    return { forDuckDB: [], forCore: tasks };
  }
  const equality = new EqualityDeletes(source.schema, source.hiddenPrefix);
  const projectors = new Projectors(source);
  const readable: ReadableFile[] = [];
  const forCore: FileScanTask[] = [];
  for await (const { file, positions } of withPositions(source, await locateFiles(source, tasks))) {
    const keys = equality.forTask(file.task);
    const read = keys && readOf(source, projectors, file, positions, keys);
    if (read === null) forCore.push(file.task);
    else readable.push(read);
  }
  remote.count('core', forCore.length);
  const opened = await openFiles(source, readable);
  const forDuckDB = readable.flatMap((file, i) => (opened[i] ? [{ ...file, ...opened[i] }] : []));
  return { forDuckDB, forCore };
}

interface ReadableFile extends FileNeeds {
  readonly list: SelectList;
  readonly keys: readonly AppliedKeys[];
}

/** Null if DuckDB can't read the file exactly. */
function readOf(
  source: RelationSource,
  projectors: Projectors,
  { task, place, schema }: LocatedFile,
  positions: PositionBitmap | null,
  keys: readonly AppliedKeys[],
): ReadableFile | null {
  if (place === null) return null;
  const { metadataColumns } = source;
  const needsPlaces = positions !== null || keys.length > 0 || metadataColumns.length > 0;
  if (needsPlaces && hidesVirtualColumns(schema.fields.map(({ name }) => name))) return null;
  const { projector, fieldIds } = projectors.of(keys, place.kind);
  const list = projector.tryProject(schema, task);
  const keepsPlaces = metadataColumns.some((name) => OF_PLACES.has(name));
  const isWhole = positions === null && keys.length === 0;
  return list && { task, place, schema, fieldIds, keepsPlaces, isWhole, positions, list, keys };
}

/** Metadata columns that follow from where a row is in its file. */
const OF_PLACES: ReadonlySet<MetadataColumn> = new Set(['_pos', '_row_id']);

/** Files whose position deletes are read at a time. */
const CONCURRENCY = 4;

/** The positions that are deleted from each file that DuckDB will read; null where none is. */
async function* withPositions(
  { positions, signal }: RelationSource,
  files: readonly LocatedFile[],
): AsyncGenerator<{ readonly file: LocatedFile; readonly positions: PositionBitmap | null }> {
  yield* lookAhead(files, CONCURRENCY, async (file) => {
    const needed = file.place !== null && positions.mayDelete(file.task);
    return { file, positions: needed ? await positions.positions(file.task, signal ? { signal } : {}) : null };
  });
}

interface Projection {
  readonly projector: FileProjector;
  /** Ids of the fields that it reads. */
  readonly fieldIds: ReadonlySet<number>;
}

/** Files with equality deletes are read with the columns of their keys, which the table may have dropped. */
class Projectors {
  readonly #source: RelationSource;
  readonly #byKeys = new Map<string, Projection>();

  constructor(source: RelationSource) {
    this.#source = source;
  }

  of(applied: readonly AppliedKeys[], place: FilePlace['kind']): Projection {
    const key = [place, ...applied.map(({ keys }) => keys.columns.ids.join())].join(';');
    const known = this.#byKeys.get(key) ?? this.#make(applied, place);
    this.#byKeys.set(key, known);
    return known;
  }

  #make(applied: readonly AppliedKeys[], place: FilePlace['kind']): Projection {
    const { schema, columns, metadataColumns, hiddenPrefix: prefix, guarded } = this.#source;
    const stored = STORED_METADATA.filter(({ name }) => metadataColumns.some((wanted) => wanted === name));
    const hidden = [
      ...stored.map((field) => ({ ...field, name: `${prefix}${field.name}` })),
      ...applied.flatMap(({ keys }) => keys.fields),
    ];
    const fields = [...schema.fields, ...hidden];
    // Of files in the cache nothing else is there. Of others DuckDB leaves out itself what isn't read.
    const isRead: IsRead = (i) => place !== 'cache' || columns === null || i >= schema.fields.length || columns.has(i);
    return {
      projector: new FileProjector({ ...schema, fields }, guarded, isRead),
      fieldIds: new Set(fields.flatMap(({ id }, i) => (isRead(i) ? [id] : []))),
    };
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
  { io, schema, metadataColumns, nameMapping, leftOut, signal }: RelationSource,
  tasks: readonly FileScanTask[],
): AsyncGenerator<ColumnBatch> {
  const options = {
    projection: schema,
    metadataColumns,
    deletes: deleteLoader(io, undefined, leftOut),
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
