import type { FileScanTask, Schema, Table } from '@lh/core';
import type { Lakehouse } from '@lh/sql';
import { expect } from 'vitest';

import { extraFileReason } from './extra-files.ts';
import { filterFromJson, filterToSql, termOf, termsOf } from './filters.ts';
import { FIXTURE_ROOT, expectedRows } from './fixtures.ts';
import type { ExpectedDelete, ExpectedPlan, ExpectedTable } from './fixtures.ts';
import { at } from './reads.ts';
import { matchesRow } from './row-filter.ts';

/** How a plan differs from Iceberg Java's, for the closing lines. */
export interface PlanDifference {
  /** Files that Java plans and we don't. */
  readonly fewer: number;
  /** Files that we plan and Java doesn't, by the reason why SQL's answer needs them. */
  readonly extra: Readonly<Record<string, number>>;
}

/** Says what a plan filters, and where. */
export function planName({ sql, filter, snapshotId }: ExpectedPlan): string {
  return `${sql ?? JSON.stringify(filter)}${snapshotId ? ` of ${snapshotId}` : ''}`;
}

export function planScan(table: Table, plan: ExpectedPlan, select?: readonly string[]) {
  const snapshotId = plan.snapshotId ? { snapshotId: BigInt(plan.snapshotId) } : {};
  // A filter's values are typed by the columns of the schema that it is bound to.
  const { schema } = table.scan(snapshotId);
  return table.scan({ ...snapshotId, filter: filterFromJson(schema, plan.filter), ...(select && { select }) });
}

/**
 * Our files are among Java's, but for those that Java leaves out although SQL's answer needs them, or might, by what
 * the manifest tells of them; deletes are the same; and as many rows match as SQL says.
 */
export async function checkPlan(table: Table, expected: ExpectedTable, plan: ExpectedPlan): Promise<PlanDifference> {
  const scan = planScan(table, plan);
  const { tasks } = await scan.plan();
  const java = new Map(plan.files.map((file) => [file.path, file.deletes.map(deleteText).toSorted()]));
  const ours = new Map(tasks.map((task) => [relative(task.file.path), task.deletes.map(taskDelete).toSorted()]));
  expect(ours.size, 'each file is planned once').toBe(tasks.length);
  const shared = [...ours].filter(([path]) => java.has(path));
  expect(Object.fromEntries(shared)).toEqual(Object.fromEntries(shared.map(([path]) => [path, java.get(path)])));

  const extra = [...ours.keys()].filter((path) => !java.has(path));
  const reasons: Record<string, number> = {};
  if (extra.length > 0) {
    const filesOfRows = new Set(await filesWithMatches(table, plan));
    for (const path of extra) {
      const reason = filesOfRows.has(path) ? 'it has rows that match' : extraFileReason(path, plan.filter, expected);
      expect(reason, `${path} is not in Java's plan, and nothing tells why it has to be in ours`).not.toBeNull();
      reasons[reason!] = (reasons[reason!] ?? 0) + 1;
    }
  }
  const rows = matchingRows(expected, plan, scan.schema);
  if (rows !== null) expect(await scan.count()).toBe(rows);
  return { fewer: [...java.keys()].filter((path) => !ours.has(path)).length, extra: reasons };
}

/**
 * The number of rows that match by SQL's rules: Spark's count; where it has none, our own count of the expected rows;
 * null for a snapshot whose rows aren't known.
 */
export function matchingRows(expected: ExpectedTable, plan: ExpectedPlan, schema: Schema): number | null {
  return plan.matchingRowCount ?? countOfExpectedRows(expected, plan, schema);
}

export function countOfExpectedRows(expected: ExpectedTable, plan: ExpectedPlan, schema: Schema): number | null {
  // In the row encoding a variant that is null looks like no variant.
  if (termsOf(plan.filter).some((term) => termOf(schema, term).type.kind === 'variant')) return null;
  const rows = rowsOfSnapshot(expected, plan.snapshotId ?? null);
  return rows && rows.filter((line) => matchesRow(schema, plan.filter, JSON.parse(line)) === true).length;
}

/** The number of rows that match, counted by DuckDB. */
export async function countWithSql(lake: Lakehouse, table: Table, plan: ExpectedPlan): Promise<number> {
  const { schema } = planScan(table, plan);
  lake.register('t', table);
  const result = await lake.sql(`SELECT count(*) AS n FROM t${at(plan)} WHERE ${filterToSql(schema, plan.filter)}`);
  return Number((await result.rows())[0]!['n']);
}

/** All rows of a snapshot, or of the current one, with all columns; null if no read tells them. */
function rowsOfSnapshot(expected: ExpectedTable, snapshotId: string | null): string[] | null {
  const whole = expected.reads.filter(({ columns, filter, ref, asOf }) => !columns && !filter && !ref && !asOf);
  const read = whole.find((one) => (one.snapshotId ?? null) === snapshotId);
  return read ? expectedRows(read.rowsFile) : null;
}

async function filesWithMatches(table: Table, plan: ExpectedPlan): Promise<readonly string[]> {
  const files = (await planScan(table, plan, ['_file']).toArrow()).getChild('_file');
  return files ? Array.from(files, (location) => relative(String(location))) : [];
}

function taskDelete({ file }: FileScanTask['deletes'][number]): string {
  const path = relative(file.path);
  if (file.format === 'puffin') {
    return deleteText({ path, content: 'dv', offset: file.contentOffset!, size: file.contentSizeInBytes! });
  }
  return deleteText({ path, content: file.content === 'equality-deletes' ? 'equality' : 'position' });
}

function deleteText({ content, path, offset, size }: ExpectedDelete): string {
  return offset === undefined ? `${content} ${path}` : `${content} ${path} ${offset}+${size}`;
}

function relative(location: string): string {
  return location.replace(FIXTURE_ROOT, '');
}
