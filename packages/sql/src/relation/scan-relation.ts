import type { DuckDBConnection } from '@duckdb/node-api';
import type { FileIO, FileScanTask, Schema, TableMetadata } from '@lh/core';
import { invalidData, parseNameMapping, unsupported } from '@lh/core/engine';
import type { NameMapping } from '@lh/core/engine';
import { quoteName } from '../text/quote.ts';
import { duckdbNames } from '../types/duckdb-types.ts';
import { valueLiteral } from '../types/value-literal.ts';
import { fileList } from './file-list.ts';
import type { FileSchema, FileSchemas } from './file-schema.ts';
import { withMappedIds } from './name-mapping.ts';
import { FileProjector, NeedsCoreReader } from './project-file.ts';
import type { SelectList } from './project-file.ts';

export interface RelationSource {
  readonly connection: DuckDBConnection;
  readonly io: FileIO;
  readonly metadata: TableMetadata;
  readonly schema: Schema;
  readonly files: FileSchemas;
  /** Indexes of columns that DuckDB must not judge by statistics. */
  readonly guarded: ReadonlySet<number>;
}

/** A table's files as SQL. */
export interface ScanRelation {
  /** A query without parentheses that gives the columns of the schema, in order. */
  readonly sql: string;
  /** Files that DuckDB can't read exactly; their rows have to be handed to it. */
  readonly forCore: readonly FileScanTask[];
}

/** Builds the relation of a scan's files. Files that are read alike share one `read_parquet`. */
export async function scanRelation(source: RelationSource, tasks: readonly FileScanTask[]): Promise<ScanRelation> {
  tasks.forEach(refuseUnsupported);
  const located = tasks.map((task) => ({ task, path: duckdbPath(source.io, task) }));
  const paths = located.flatMap(({ path }) => path ?? []);
  const schemas = await source.files.load(source.connection, paths);
  const mapping = nameMappingOf(source.metadata);
  const projector = new FileProjector(source.schema, source.guarded);
  const groups = new Map<SelectList, string[]>();
  const forCore: FileScanTask[] = [];
  for (const { task, path } of located) {
    const isReadable = path !== null && source.files.isReadable(path);
    const list = isReadable ? tryProject(projector, withIds(schemas.get(path)!, mapping, path), task) : null;
    if (path === null || list === null) forCore.push(task);
    else if (groups.has(list)) groups.get(list)!.push(path);
    else groups.set(list, [path]);
  }
  const reads = [...groups].map(([list, files]) => readFiles(list, files));
  return { sql: reads.length === 0 ? emptyRelation(source.schema) : reads.join('\nUNION ALL\n'), forCore };
}

function readFiles(list: SelectList, paths: readonly string[]): string {
  return `SELECT ${list.join(', ')} FROM read_parquet(${fileList(paths)}, hive_partitioning=false)`;
}

/** No rows, with the table's columns and types. */
export function emptyRelation(schema: Schema): string {
  if (schema.fields.length === 0) return 'SELECT NULL AS "no columns" WHERE false';
  const names = duckdbNames(schema);
  const columns = schema.fields.map(({ type }, i) => `${valueLiteral(type, null)} AS ${quoteName(names[i]!)}`);
  return `SELECT ${columns.join(', ')} WHERE false`;
}

function tryProject(projector: FileProjector, file: FileSchema, task: FileScanTask): SelectList | null {
  try {
    return projector.project(file, task);
  } catch (error) {
    if (error instanceof NeedsCoreReader) return null;
    throw error;
  }
}

/** The path under which DuckDB can open a task's file; null if core has to read it. */
function duckdbPath(io: FileIO, { file }: FileScanTask): string | null {
  if (file.format !== 'parquet') return null;
  const path = io.capabilities.localPath?.(file.path) ?? null;
  // In a pattern DuckDB takes a backslash for a separator, so that such a path can't be written as one.
  return path !== null && /[*?[]/.test(path) && path.includes('\\') ? null : path;
}

export function nameMappingOf(metadata: TableMetadata): NameMapping | null {
  const json = metadata.properties['schema.name-mapping.default'];
  return json === undefined ? null : parseNameMapping(json);
}

function withIds(file: FileSchema, mapping: NameMapping | null, path: string): FileSchema {
  if (file.hasIds || file.fields.length === 0) return file;
  if (mapping) return withMappedIds(file, mapping);
  throw invalidData(
    `The data file ${path} has no field ids and its table has no name mapping, so its columns can't be told apart. ` +
      "Set the table property 'schema.name-mapping.default'.",
    { path },
  );
}

function refuseUnsupported({ file, deletes }: FileScanTask): void {
  const context = { path: file.path };
  if (file.keyMetadata !== null)
    throw unsupported(`The data file ${file.path} is encrypted, and encrypted files can't be read.`, context);
  if (deletes.length > 0) {
    throw unsupported(
      `Rows of the data file ${file.path} are deleted by delete files, which SQL can't apply yet.`,
      context,
    );
  }
}
