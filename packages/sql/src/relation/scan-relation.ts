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
import { NeedsCoreReader, projectFile } from './project-file.ts';

export interface RelationSource {
  readonly connection: DuckDBConnection;
  readonly io: FileIO;
  readonly metadata: TableMetadata;
  readonly schema: Schema;
  readonly files: FileSchemas;
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
  const groups = new Map<string, { readonly expressions: readonly string[]; readonly paths: string[] }>();
  const forCore: FileScanTask[] = [];
  for (const { task, path } of located) {
    const projection =
      path === null ? null : tryProject(source.schema, withIds(schemas.get(path)!, mapping, path), task, path);
    if (path === null || projection === null) {
      forCore.push(task);
      continue;
    }
    const key = `${schemas.get(path)!.fingerprint}\n${projection.key}`;
    const group = groups.get(key);
    if (group) group.paths.push(path);
    else groups.set(key, { expressions: projection.expressions, paths: [path] });
  }
  const names = duckdbNames(source.schema).map(quoteName);
  const reads = [...groups.values()].map(({ expressions, paths: files }) => readFiles(names, expressions, files));
  return { sql: reads.length === 0 ? emptyRelation(source.schema) : reads.join('\nUNION ALL\n'), forCore };
}

function readFiles(names: readonly string[], expressions: readonly string[], paths: readonly string[]): string {
  const columns = expressions.map((expression, i) =>
    expression === names[i] ? expression : `${expression} AS ${names[i]!}`,
  );
  return `SELECT ${columns.join(', ')} FROM read_parquet(${fileList(paths)}, hive_partitioning=false)`;
}

/** No rows, with the table's columns and types. */
export function emptyRelation(schema: Schema): string {
  if (schema.fields.length === 0) return 'SELECT NULL AS "no columns" WHERE false';
  const names = duckdbNames(schema);
  const columns = schema.fields.map(({ type }, i) => `${valueLiteral(type, null)} AS ${quoteName(names[i]!)}`);
  return `SELECT ${columns.join(', ')} WHERE false`;
}

function tryProject(
  schema: Schema,
  file: FileSchema,
  task: FileScanTask,
  path: string,
): ReturnType<typeof projectFile> | null {
  try {
    return projectFile(schema, file, { spec: task.spec, tuple: task.file.partition }, path);
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
