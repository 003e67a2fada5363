import type { FileScanTask, NestedField, Schema, TableMetadata } from '@lh/core';
import { RangeColumn, bindExpression, inclusiveMetricsEvaluator, specFilters } from '@lh/core/engine';
import { columnsIn } from '../plan/column-terms.ts';
import type { JoinKey } from '../plan/join-keys.ts';
import { nodeSql } from '../plan/node-sql.ts';
import { toExpression } from '../plan/to-expression.ts';
import type { ConversionOptions } from '../plan/to-expression.ts';
import type { Session } from '../session/session.ts';
import { isKeyType, keyCondition } from './key-values.ts';
import type { KeyCondition } from './key-values.ts';
import { withoutFiles } from './plan-mention.ts';
import type { PlannedMention, PlannedTable } from './plan-mention.ts';
import type { QueryNeeds } from './query-planning.ts';
import type { Relations } from './relations.ts';
import { object } from './serialized.ts';

/** The names of the columns that a key is made of. */
export function keyColumns({ key }: JoinKey, schema: Schema): readonly string[] {
  return columnsIn(key).flatMap(({ index, fields }) => keyField(schema.fields[index], fields)?.path ?? []);
}

/**
 * Dynamic pruning: a small side of a join is read first, and its keys leave out files of the other. What is read so
 * is read once more by the query itself, so it is done only where the other side is larger and its files differ.
 */
export async function pruneByKeys(
  session: Session,
  planned: readonly PlannedMention[],
  { joinKeys, shadows, conversion }: QueryNeeds,
  relations: Relations,
): Promise<readonly PlannedMention[]> {
  const pruned = [...planned];
  for (const key of joinKeys) {
    const place = shadows.indexOf(key.table);
    const target = pruned[place];
    // What was read for its own keys stays as it is.
    if (!target?.plan || relations.isMade(place)) continue;
    const sources = key.sourceTables.map((table) => shadows.indexOf(table));
    const read = sources.flatMap((at) => pruned[at] ?? []);
    if (read.length < sources.length || !isWorthIt(target, key, read)) continue;
    const texts = new Map<string, string>();
    for (const [i, table] of key.sourceTables.entries()) {
      texts.set(table, await relations.of(read[i]!, sources[i]!));
    }
    const condition = await readCondition(session, key, texts);
    if (condition) pruned[place] = prunedBy(target, key, condition, read, conversion);
  }
  return pruned;
}

/** The table without the files that have no row for which the condition holds. */
function prunedBy(
  target: PlannedTable,
  key: JoinKey,
  condition: KeyCondition,
  sources: readonly PlannedMention[],
  conversion: ConversionOptions,
): PlannedTable {
  const { table, schema } = target.mention;
  const { expression } = toExpression(schema, [condition.predicate], conversion);
  if (expression.op === 'true') return target;
  const bound = bindExpression(schema, expression);
  const filterOf = specFilters(table.metadata, schema, bound);
  const mayMatch = inclusiveMetricsEvaluator(bound);
  const kept = target.plan.tasks.filter(
    ({ file }) => filterOf(file.specId).matchesPartition?.(file.partition) !== false && mayMatch(file),
  );
  const predicate = {
    predicate: shown(key, schema, condition),
    from: sources.flatMap(({ mention }) => (mention.kind === 'table' ? [mention.name] : [])),
    values: condition.values,
  };
  const needs = { ...target.needs, dynamic: [...target.needs.dynamic, predicate] };
  return { ...withoutFiles(target, kept, 'dynamic'), needs };
}

function shown(key: JoinKey, schema: Schema, { values }: KeyCondition): string {
  const columns = keyColumns(key, schema).join(', ');
  if (values === null) return `a range of ${columns}`;
  return `${values} ${values === 1 ? 'value' : 'values'} of ${columns}`;
}

/** Values are read from up to so many rows, … */
const MAX_SOURCE_ROWS = 100_000;
/** … and only for tables that have so many times as many. */
const TIMES_AS_MANY = 2;

function isWorthIt(target: PlannedTable, key: JoinKey, sources: readonly PlannedMention[]): boolean {
  const { tasks, metrics } = target.plan;
  let rows = 0;
  for (const { plan } of sources) {
    if (plan === null) return false;
    rows += plan.metrics.rowsScanned;
  }
  if (tasks.length < 2 || rows > MAX_SOURCE_ROWS || rows * TIMES_AS_MANY > metrics.rowsScanned) return false;
  return isKeyType(object(key.value['return_type'])) && tellsFilesApart(target, key);
}

/** Whether the key's column is one that files are partitioned by, or that has other values in some files than in others. */
function tellsFilesApart({ mention, plan: { tasks } }: PlannedTable, { key }: JoinKey): boolean {
  const [column, ...others] = columnsIn(key);
  const found = column && keyField(mention.schema.fields[column.index], column.fields);
  if (!found || others.length > 0) return false;
  return isPartitioned(mention.table.metadata, found.field) || haveGaps(tasks, found.field);
}

interface KeyField {
  readonly field: NestedField;
  /** Its name, with those of the structs around it. */
  readonly path: string;
}

function keyField(root: NestedField | undefined, [name, ...rest]: readonly string[]): KeyField | undefined {
  if (!root || name === undefined) return root && { field: root, path: root.name };
  const fields = root.type.kind === 'struct' ? root.type.fields : [];
  const inner = keyField(
    fields.find((field) => field.name.toLowerCase() === name.toLowerCase()),
    rest,
  );
  return inner && { field: inner.field, path: `${root.name}.${inner.path}` };
}

function isPartitioned({ partitionSpecs }: TableMetadata, { id }: NestedField): boolean {
  return partitionSpecs.some(({ fields }) => fields.some(({ sourceIds }) => sourceIds.includes(id)));
}

/** Some value is above all of some files, and below all of others. */
function haveGaps(tasks: readonly FileScanTask[], field: NestedField): boolean {
  const column = new RangeColumn(field);
  const { compare } = column;
  const ranges = tasks.flatMap(({ file }) => column.rangeIn(file).bounds ?? []);
  if (!compare || ranges.length < 2) return false;
  const sorted = ranges.toSorted((a, b) => compare(a.lower, b.lower));
  let most = sorted[0]!.upper;
  for (const { lower, upper } of sorted) {
    if (compare(lower, most) > 0) return true;
    if (compare(upper, most) > 0) most = upper;
  }
  return false;
}

async function readCondition(
  session: Session,
  key: JoinKey,
  tables: ReadonlyMap<string, string>,
): Promise<KeyCondition | undefined> {
  const lease = await session.lease();
  try {
    const source = nodeSql(key.source, { table: (name) => `(${tables.get(name)!})`, node: () => undefined });
    return await keyCondition(lease.connection, key, source);
  } catch {
    // What can't be written isn't asked; what fails now would fail in the query as well, and be told there.
    return undefined;
  } finally {
    lease.release();
  }
}
