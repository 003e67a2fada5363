import type { BoundExpression, BoundTerm } from '../expr/bound-expression.ts';
import { UNKNOWN_STATISTICS } from '../expr/column-statistics.ts';
import type { ColumnStatistics } from '../expr/column-statistics.ts';
import { summaryStatistics } from '../expr/manifest-evaluator.ts';
import { mayMatch } from '../expr/statistics-evaluator.ts';
import { STATUS } from '../manifest/entry-decoder.ts';
import { ENTRY_FIELD, FILE_FIELD } from '../manifest/manifest-schema.ts';
import { specById } from '../spec/metadata-accessors.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import { valueToBytes } from '../spec/single-value.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { Value } from '../spec/values.ts';
import { SPEC_ID } from './file-tables-schema.ts';

/** Statistics of a column of a metadata table for the entries of one manifest. */
export type ManifestStatistics = (manifest: ManifestFile, term: BoundTerm) => ColumnStatistics;

/**
 * Whether a manifest may have entries that a filter wants, by what the manifest list says of it: the tables' partitions,
 * contents, specs and states. Other columns leave it open.
 */
export function manifestPruner(
  filter: BoundExpression,
  statistics: ManifestStatistics,
): (manifest: ManifestFile) => boolean {
  const evaluate = mayMatch(filter);
  return (manifest) => evaluate((term) => statistics(manifest, term));
}

export function entryStatistics(metadata: TableMetadata): ManifestStatistics {
  const ofPartition = partitionStatistics(metadata);
  return (manifest, term) => (OF_MANIFEST[term.field.id] ?? ofPartition)(manifest, term);
}

/** For terms whose fields have the ids of partition fields; those of other fields are unknown. */
export function partitionStatistics(metadata: TableMetadata): ManifestStatistics {
  const partitionIds = new Set(metadata.partitionSpecs.flatMap(({ fields }) => fields.map(({ fieldId }) => fieldId)));
  return ({ partitionSpecId, partitions }, term) => {
    if (!partitionIds.has(term.field.id)) return UNKNOWN_STATISTICS;
    const { fields } = specById(metadata, partitionSpecId);
    const position = fields.findIndex(({ fieldId }) => fieldId === term.field.id);
    if (position < 0 || fields[position]!.transform.kind === 'void') return ONLY_NULLS;
    return partitions === null ? UNKNOWN_STATISTICS : summaryStatistics(partitions[position], term);
  };
}

export const ONLY_NULLS: ColumnStatistics = {
  mayBeNull: true,
  mayBeNaN: false,
  mayBeOrdinary: false,
  lowerBound: null,
  upperBound: null,
};

export function between(term: BoundTerm, lower: Value, upper: Value): ColumnStatistics {
  const { type } = term.field;
  const bounds = { lowerBound: valueToBytes(type, lower), upperBound: valueToBytes(type, upper) };
  return { mayBeNull: false, mayBeNaN: false, mayBeOrdinary: true, ...bounds };
}

const OF_MANIFEST: Readonly<Record<number, ManifestStatistics>> = {
  [SPEC_ID]: ({ partitionSpecId }, term) => between(term, partitionSpecId, partitionSpecId),
  [FILE_FIELD.content]: ({ content }, term) => (content === 'data' ? between(term, 0, 0) : between(term, 1, 2)),
  [ENTRY_FIELD.status]: ({ addedFilesCount, existingFilesCount, deletedFilesCount }, term) => {
    const states = [
      ...(existingFilesCount === 0 ? [] : [STATUS.existing]),
      ...(addedFilesCount === 0 ? [] : [STATUS.added]),
      ...(deletedFilesCount === 0 ? [] : [STATUS.deleted]),
    ];
    // Counts that are all zero are not to be believed: nobody writes empty manifests.
    return states.length === 0 ? UNKNOWN_STATISTICS : between(term, Math.min(...states), Math.max(...states));
  },
};
