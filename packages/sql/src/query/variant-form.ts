import type { JsonObject } from '@lh/core/engine';
import type { Planner, ShadowColumn } from '../plan/planner.ts';
import { handsOnVariants, samePlan } from '../plan/variant-use.ts';
import type { SessionSettings } from '../session/settings.ts';
import { holdsVariant, withVariantBytes } from '../types/variant-bytes.ts';
import { shadowColumns } from './mentions.ts';
import type { Mention, TableMention } from './mentions.ts';

/** A planned query, and how to plan it over other shadow tables. */
export interface PlannedQuery {
  readonly plan: JsonObject;
  /** The indexes of the columns that it reads of each mention that is a table of a catalog. */
  readonly columnsOf: (mention: TableMention) => ReadonlySet<number> | null;
  readonly mentions: readonly Mention[];
  readonly fileColumns: readonly (readonly ShadowColumn[])[];
  readonly rewrite: (shadows: readonly string[]) => string;
  readonly settings: SessionSettings;
}

/**
 * Whether a query reads variants and only hands them on, so that they can be given to it as their bytes: then it means
 * the same with bytes in the place of variants, and none of what is compared or computed is one.
 */
export async function handsOnBytes(planner: Planner, query: PlannedQuery): Promise<boolean> {
  const { plan, mentions, fileColumns, settings } = query;
  const reads = mentions.some(
    (mention) => mention.kind === 'table' && readsVariants(mention, query.columnsOf(mention)),
  );
  if (!reads || !handsOnVariants(plan)) return false;
  const others = mentions.filter(({ kind }) => kind !== 'table').map(shadowColumns);
  if ([...others, ...fileColumns].flat().some(({ type }) => type.includes('VARIANT'))) return false;
  const shadows = await planner.shadows([...mentions.map(withBytes).map(shadowColumns), ...fileColumns]);
  const other = await planner.plan(query.rewrite(shadows), settings);
  return other.ok && samePlan(plan, other.root);
}

export function readsVariants({ schema }: TableMention, columns: ReadonlySet<number> | null): boolean {
  return schema.fields.some(({ type }, i) => (columns === null || columns.has(i)) && holdsVariant(type));
}

function withBytes(mention: Mention): Mention {
  if (mention.kind !== 'table') return mention;
  return { ...mention, schema: { ...mention.schema, fields: withVariantBytes(mention.schema.fields) } };
}
