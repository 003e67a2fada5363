import type { Table } from '@lh/core';
import type { Resolved, TableResolver } from './table-resolver.ts';
import { refTarget } from './time-travel.ts';

/** What a name in a query stands for: `web.events.changes` has rows, too. */
export type ResolvedRead = Resolved | { readonly kind: 'changes'; readonly name: string; readonly table: Table };

/**
 * What a query reads by a name: beside tables and metadata tables those of a branch or tag, as Spark calls them
 * (`web.events.branch_audit`, `web.events.tag_eoy`), and the changes of a table. Null if the name belongs to DuckDB, or
 * to no one.
 */
export async function resolveRead(resolver: TableResolver, parts: readonly string[]): Promise<ResolvedRead | null> {
  const resolved = await resolver.resolve(parts);
  if (resolved || parts.length === 1) return resolved;
  const last = parts.at(-1)!;
  const ref = /^(?:branch|tag)_(.+)$/i.exec(last)?.[1];
  const isChanges = last.toLowerCase() === 'changes';
  if (ref === undefined && !isChanges) return null;
  const found = await resolver.resolve(parts.slice(0, -1));
  if (found?.kind !== 'table') return null;
  const name = parts.join('.');
  if (isChanges) return { kind: 'changes', name, table: found.table };
  return { ...found, name, reading: { target: refTarget(found.table, ref!) } };
}
