import type { FileScanTask, Schema } from '@lh/core';
import { METADATA_COLUMNS, readTaskColumns } from '@lh/core/engine';
import type { Column, ColumnBatch } from '@lh/core/engine';
import type { AppliedFile, EqualityKeys } from './equality-deletes.ts';
import { emptyRelation } from './empty-relation.ts';
import { fileList } from './file-list.ts';
import { hidesVirtualColumns, perFile } from './per-file.ts';
import { FileProjector } from './project-file.ts';
import type { SelectList } from './project-file.ts';
import { locateFiles } from './locate-files.ts';
import { openFiles } from './open-files.ts';
import type { FileNeeds } from './open-files.ts';
import type { RelationSource } from './scan-relation.ts';

export interface KeysOptions {
  /** The keys come with the numbers of their scopes, in a column `scope`. */
  readonly hasScopes: boolean;
  /** The number of data files, in the order of the read, that are old enough for what a delete file deletes. */
  readonly cutoffOf: (file: AppliedFile) => number;
  /** The keys come with these numbers, in a column `cutoff`. */
  readonly hasCutoffs: boolean;
}

/** The keys of equality delete files as SQL, in columns `k0`, `k1` and so on. */
export async function keysRelation(
  source: RelationSource,
  keys: EqualityKeys,
  files: readonly AppliedFile[],
  options: KeysOptions,
): Promise<string> {
  const schema: Schema = { kind: 'struct', fields: keys.stored, schemaId: 0, identifierFieldIds: [] };
  // Statistics would tell DuckDB which keys can't be equal, but not whether there are nulls.
  const projector = new FileProjector(schema, new Set(keys.stored.keys()));
  const tasks = new Map(files.map((file) => [taskOf(file, schema), file]));
  const located = await locateFiles(source, [...tasks.keys()]);
  const fieldIds = new Set(keys.stored.map(({ id }) => id));
  const readable: (FileNeeds & { readonly list: SelectList })[] = [];
  const forCore: FileScanTask[] = [];
  for (const { task, place, schema: fileSchema } of located) {
    const hides = fileSchema !== null && hidesVirtualColumns(fileSchema.fields.map(({ name }) => name));
    const list = fileSchema === null || hides ? null : projector.tryProject(fileSchema, task);
    if (list === null || place === null) forCore.push(task);
    else readable.push({ task, place, schema: fileSchema!, fieldIds, ...ALL_ROWS, list });
  }
  const groups = new Map<SelectList, { path: string; file: AppliedFile }[]>();
  const opened = await openFiles({ ...source, maxRows: null }, readable);
  for (const [i, { task, list }] of readable.entries()) {
    // One without rows deletes nothing.
    if (opened[i] === null) continue;
    const read = { path: opened[i]!.path, file: tasks.get(task)! };
    if (groups.has(list)) groups.get(list)!.push(read);
    else groups.set(list, [read]);
  }
  const reads = [...groups].map(([list, group]) => {
    const scopes = perFile(
      group.map(({ file }) => String(file.scope)),
      'BIGINT',
    );
    const cutoffs = perFile(
      group.map(({ file }) => String(options.cutoffOf(file))),
      'BIGINT',
    );
    const paths = fileList(group.map(({ path }) => path));
    return `SELECT ${list.join(', ')}, ${scopes} AS scope, ${cutoffs} AS cutoff FROM read_parquet(${paths}, hive_partitioning=false)`;
  });
  if (forCore.length > 0)
    reads.push(
      await readKeysWithCore(source, schema, forCore, (task) => {
        const file = tasks.get(task)!;
        return [file.scope, options.cutoffOf(file)];
      }),
    );
  source.remote.count('core', forCore.length);
  if (reads.length === 0) reads.push(noKeys(schema));
  const parts = keys.parts('files').map((part, i) => `${part} AS k${i}`);
  if (options.hasScopes) parts.push('scope');
  const from = `FROM (${reads.join(' UNION ALL ')}) AS files`;
  if (!options.hasCutoffs) return `SELECT ${parts.join(', ')} ${from}`;
  // Of a key that is deleted again and again, the last time counts.
  const group = parts.map((_, i) => i + 1).join(', ');
  return `SELECT ${parts.join(', ')}, max(cutoff) AS cutoff ${from} GROUP BY ${group}`;
}

const ALL_ROWS = { keepsPlaces: false, isWhole: true, positions: null } as const;

function noKeys(schema: Schema): string {
  const scope: Schema['fields'][number] = { ...METADATA_COLUMNS._pos, name: 'scope' };
  return emptyRelation({ ...schema, fields: [...schema.fields, scope, { ...scope, name: 'cutoff' }] });
}

/** A delete file is read as a data file without deletes is. */
function taskOf({ file, sequenceNumber }: AppliedFile, schema: Schema): FileScanTask {
  const spec = { specId: file.specId, fields: [] };
  return { file, sequenceNumber, deletes: [], spec, schema, residual: { op: 'true' } };
}

async function readKeysWithCore(
  source: RelationSource,
  schema: Schema,
  tasks: readonly FileScanTask[],
  numbersOf: (task: FileScanTask) => readonly number[],
): Promise<string> {
  const { type } = METADATA_COLUMNS._pos;
  const added = ['scope', 'cutoff'].map((name, i) => ({ id: -1 - i, name, required: true, type }));
  const batches = keyBatches(source, schema, tasks, numbersOf);
  return source.rows.collect({ kind: 'struct', fields: [...schema.fields, ...added] }, batches);
}

async function* keyBatches(
  { io, nameMapping, signal }: RelationSource,
  projection: Schema,
  tasks: readonly FileScanTask[],
  numbersOf: (task: FileScanTask) => readonly number[],
): AsyncGenerator<ColumnBatch> {
  const options = { projection, ...(nameMapping && { nameMapping }), ...(signal && { signal }) };
  for (const task of tasks) {
    const numbers = numbersOf(task);
    for await (const { length, columns } of readTaskColumns(io, task, options)) {
      yield { length, columns: [...columns, ...numbers.map((number) => longs(BigInt(number), length))] };
    }
  }
}

function longs(value: bigint, length: number): Column {
  return { layout: 'numbers', length, validity: null, values: new BigInt64Array(length).fill(value) };
}
