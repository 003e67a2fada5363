import type { Properties } from '../spec/table-properties.ts';
import { bloomFilterColumns } from '../spec/table-properties.ts';

/** Properties that a writer doesn't follow, with what it does instead, as the end of a sentence. */
export type WriterLimits = Readonly<Record<string, string>>;

/** What stands for all of `write.parquet.bloom-filter-enabled.column.*` in a writer's limits. */
export const BLOOM_FILTERS = 'write.parquet.bloom-filter-enabled.column';

/** What core's encoder, parquet-wasm, has no setting for. */
export const CORE_LIMITS: WriterLimits = {
  'write.parquet.compression-level': 'core compresses at the default level of the codec',
  'write.parquet.page-row-limit': "core's pages are bounded by their bytes only",
  [BLOOM_FILTERS]: "core can't write bloom filters, and DuckDB's writer can",
};

/** A sentence for each property that is set, and that the writer doesn't follow. */
export function unmetProperties(properties: Properties, limits: WriterLimits): readonly string[] {
  return Object.entries(limits).flatMap(([key, instead]) => {
    const isSet = key === BLOOM_FILTERS ? bloomFilterColumns(properties).length > 0 : Object.hasOwn(properties, key);
    return isSet ? [`The table property '${key}' was not followed: ${instead}.`] : [];
  });
}
