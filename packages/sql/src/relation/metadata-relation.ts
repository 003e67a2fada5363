import type { Schema } from '@lh/core';
import { bindExpression } from '@lh/core/engine';
import type { MetadataTableColumns } from '@lh/core/engine';
import type { QueryRows } from '../feed/query-rows.ts';
import type { ScanNeeds } from '../plan/prune.ts';
import { quoteName } from '../text/quote.ts';
import { duckdbNames } from '../types/duckdb-types.ts';
import { withVariantBytes } from '../types/variant-bytes.ts';
import { valueLiteral } from '../types/value-literal.ts';
import { keepParts, withAbsentParts } from './struct-parts.ts';

export interface MetadataRelationSource {
  readonly rows: QueryRows;
  readonly signal: AbortSignal | undefined;
}

/**
 * A query that gives the rows of a metadata table which the query around it needs. Columns and parts of structs that it
 * doesn't read are null: what isn't asked for isn't decoded.
 */
export async function metadataRelation(
  { columns, schema }: { readonly columns: MetadataTableColumns; readonly schema: Schema },
  needs: ScanNeeds,
  { rows, signal }: MetadataRelationSource,
): Promise<string> {
  const wanted = schema.fields.flatMap((field, i) => {
    if (needs.columns?.has(i) === false) return [];
    const parts = needs.parts.get(i);
    return [parts ? keepParts(field, parts) : field];
  });
  // Rows without columns can't be handed over.
  const projection = { ...schema, fields: wanted.length > 0 ? wanted : schema.fields.slice(0, 1) };
  const filter = bindExpression(schema, needs.filter);
  const batches = columns.batches({ projection, filter, signal });
  const relation = await rows.collect(handedOver(projection), batches, needs.maxRows);
  const names = duckdbNames(schema).map(quoteName);
  const kept = new Map(handedOver(projection).fields.map(({ id, type }) => [id, type]));
  const list = handedOver(schema).fields.map(({ id, type }, i) => {
    const own = kept.get(id);
    return `${own ? withAbsentParts(names[i]!, type, own) : valueLiteral(type, null)} AS ${names[i]!}`;
  });
  return `SELECT ${list.join(', ')} FROM (${relation})`;
}

/** The schema as DuckDB has it: bounds of variants are as rare as queries that look into them, so they are handed on. */
export function handedOver(schema: Schema): Schema {
  return { ...schema, fields: withVariantBytes(schema.fields) };
}
