import type { FileScanTask, NestedField } from '@lh/core';
import { METADATA_COLUMNS } from '@lh/core/engine';
import type { MetadataColumn, PositionBitmap } from '@lh/core/engine';
import { quoteName } from '../text/quote.ts';
import { duckdbNames } from '../types/duckdb-types.ts';
import type { AppliedFile, AppliedKeys, EqualityKeys } from './equality-deletes.ts';
import { fileList } from './file-list.ts';
import { FILE_INDEX, FILE_ROW_NUMBER, perFile } from './per-file.ts';
import { ROW_PLACE, placesFeed } from './position-deletes.ts';
import type { SelectList } from './project-file.ts';
import type { RelationSource } from './scan-relation.ts';
import { keysRelation } from './key-files.ts';

/** A data file that DuckDB reads, with what is deleted from it. */
export interface FileToRead {
  readonly task: FileScanTask;
  readonly path: string;
  readonly list: SelectList;
  readonly positions: PositionBitmap | null;
  readonly keys: readonly AppliedKeys[];
}

/**
 * Reads files with one `read_parquet` for all that are read alike: those that have the same select list and the same
 * kinds of deletes. How much is deleted, when and in which partition differs among them, so that tables with any number
 * of partitions and commits get along with a few reads.
 */
export async function readFiles(source: RelationSource, files: readonly FileToRead[]): Promise<readonly string[]> {
  const groups = new Map<SelectList, Map<string, FileToRead[]>>();
  for (const file of files) {
    const { list, task, positions, keys } = file;
    const byKind = groups.get(list) ?? new Map<string, FileToRead[]>();
    groups.set(list, byKind);
    const scopes = keys.map((applied) => `${applied.keys.columns.ids.join()}:${applied.scopes.length}`).toSorted();
    const kind = [
      positions !== null,
      source.metadataColumns.length > 0 && task.file.firstRowId !== null,
      ...scopes,
    ].join();
    const group = byKind.get(kind);
    if (group) group.push(file);
    else byKind.set(kind, [file]);
  }
  const reads = [...groups.values()].flatMap((byKind) => [...byKind.values()].flatMap(bySize));
  return Promise.all(reads.map((group) => readGroup(source, group)));
}

/** A join with more positions than these costs each row more: DuckDB's table of them no longer fits into a core's cache. */
const FEW_POSITIONS = 4096;
const MAX_READS = 32;

/** Shares files with deleted positions out to several reads, each with few of them, if there is nothing else to join. */
function bySize(group: readonly FileToRead[]): readonly (readonly FileToRead[])[] {
  if (group[0]!.positions === null || group[0]!.keys.length > 0) return [group];
  const sizes = group.map(({ positions }) => positions!.size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const target = Math.max(FEW_POSITIONS, total / MAX_READS);
  const reads: FileToRead[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const [i, file] of group.entries()) {
    size += sizes[i]!;
    if (size <= target) reads.at(-1)!.push(file);
    else {
      reads.push([file]);
      size = sizes[i]!;
    }
  }
  return reads;
}

async function readGroup(source: RelationSource, group: readonly FileToRead[]): Promise<string> {
  const files = group.toSorted(byAge);
  const { list, positions, keys } = files[0]!;
  const from = `read_parquet(${fileList(files.map(({ path }) => path))}, hive_partitioning=false)`;
  if (positions === null && keys.length === 0 && source.metadataColumns.length === 0)
    return `SELECT ${list.join(', ')} FROM ${from}`;
  const inner = [...list];
  const hidden = (name: string): string => quoteName(`${source.hiddenPrefix}${name}`);
  /** Adds a hidden column and gives its name outside. */
  const add = (name: string, expression: string): string => {
    inner.push(`${expression} AS ${hidden(name)}`);
    return `f.${hidden(name)}`;
  };
  const joins: string[] = [];
  if (positions !== null) {
    const places = source.rows.feed(placesFeed(files.map((file) => file.positions!)));
    joins.push(
      `ANTI JOIN (${places}) AS places ON ${add('place', files.length === 1 ? FILE_ROW_NUMBER : ROW_PLACE)} = places.place`,
    );
  }
  const joined = keys.map(({ keys: { columns } }) => columns.ids.join());
  for (const [i, ids] of joined.entries()) {
    const applied = files.map((file) => file.keys.find((one) => one.keys.columns.ids.join() === ids)!);
    joins.push(...(await keyJoins(source, files, applied, i, add)));
  }
  const columns = [
    ...duckdbNames(source.schema).map((name) => `f.${quoteName(name)}`),
    ...source.metadataColumns.map((name) => `${METADATA_SQL[name](files, add, hidden)} AS ${quoteName(name)}`),
  ];
  return `SELECT ${columns.join(', ')} FROM (SELECT ${inner.join(', ')} FROM ${from}) AS f ${joins.join(' ')}`;
}

/** Oldest first, so that an equality delete is about the files up to some index. */
function byAge({ task: a }: FileToRead, { task: b }: FileToRead): number {
  return a.sequenceNumber < b.sequenceNumber ? -1 : a.sequenceNumber > b.sequenceNumber ? 1 : 0;
}

/** How many of the files, oldest first, are older than a sequence number. */
function countOlder(files: readonly FileToRead[], sequenceNumber: bigint): number {
  let [low, high] = [0, files.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (files[middle]!.task.sequenceNumber < sequenceNumber) low = middle + 1;
    else high = middle;
  }
  return low;
}

type AddColumn = (name: string, expression: string) => string;

/** A join for each of the partitions that a file's deletes are from: its own, and those of all (spec: "Scan Planning"). */
async function keyJoins(
  source: RelationSource,
  files: readonly FileToRead[],
  applied: readonly AppliedKeys[],
  index: number,
  add: AddColumn,
): Promise<readonly string[]> {
  const keys: EqualityKeys = applied[0]!.keys;
  const cutoffOf = ({ sequenceNumber }: AppliedFile): number => countOlder(files, sequenceNumber);
  const joins: string[] = [];
  for (let i = 0; i < applied[0]!.scopes.length; i++) {
    const scopes = applied.map((one) => one.scopes[i]!);
    const wanted = new Set(scopes);
    const deletes = new Map(applied.flatMap((one) => one.files.map((file) => [file.file.path, file] as const)));
    const ofScopes = [...deletes.values()].filter(({ scope }) => wanted.has(scope));
    const hasScopes = wanted.size > 1;
    const hasCutoffs = ofScopes.some((file) => cutoffOf(file) < files.length);
    const name = `keys${index}_${i}`;
    const relation = await keysRelation(source, keys, ofScopes, { hasScopes, cutoffOf, hasCutoffs });
    const conditions = keys.parts('f').map((part, k) => `${part} IS NOT DISTINCT FROM ${name}.k${k}`);
    if (hasScopes)
      conditions.push(`${add(`scope${index}_${i}`, perFile(scopes.map(String), 'BIGINT'))} = ${name}.scope`);
    if (hasCutoffs) conditions.push(`${add(`index${index}_${i}`, FILE_INDEX)} < ${name}.cutoff`);
    joins.push(`ANTI JOIN (${relation}) AS ${name} ON ${conditions.join(' AND ')}`);
  }
  return joins;
}

type MetadataSql = (files: readonly FileToRead[], add: AddColumn, hidden: (name: string) => string) => string;

/** Columns that no file stores as its own, or only some do (spec: "Row Lineage"), as core's reader gives them. */
const METADATA_SQL: Readonly<Record<MetadataColumn, MetadataSql>> = {
  _file: (files, add) =>
    add(
      'file',
      perFile(
        files.map(({ task }) => task.file.path),
        'VARCHAR',
      ),
    ),
  _pos: (_, add) => add('pos', FILE_ROW_NUMBER),
  _spec_id: (files, add) =>
    `CAST(${add(
      'spec_id',
      perFile(
        files.map(({ task }) => String(task.spec.specId)),
        'BIGINT',
      ),
    )} AS INTEGER)`,
  _row_id: (files, add, hidden) => {
    const first = files.map(({ task }) => String(task.file.firstRowId));
    if (files[0]!.task.file.firstRowId === null) return 'CAST(NULL AS BIGINT)';
    const inherited = add('inherited_row_id', `${perFile(first, 'BIGINT')} + ${FILE_ROW_NUMBER}`);
    return `coalesce(f.${hidden('_row_id')}, ${inherited})`;
  },
  _last_updated_sequence_number: (files, add, hidden) => {
    if (files[0]!.task.file.firstRowId === null) return 'CAST(NULL AS BIGINT)';
    const own = files.map(({ task }) => String(task.sequenceNumber));
    return `coalesce(f.${hidden('_last_updated_sequence_number')}, ${add('inherited_age', perFile(own, 'BIGINT'))})`;
  },
};

/** Metadata columns that files may store, and that are then read. */
export const STORED_METADATA: readonly NestedField[] = [
  METADATA_COLUMNS._row_id,
  METADATA_COLUMNS._last_updated_sequence_number,
];
