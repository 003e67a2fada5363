import type { FileIO } from '../../io/file-io.ts';
import { readManifestList } from '../../manifest/read-manifest-list.ts';
import type { Runtime } from '../../runtime.ts';
import { lookAhead } from '../../scan/look-ahead.ts';
import { indexById } from '../../spec/schema-fields.ts';
import type { Snapshot } from '../../spec/snapshot.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import type { TableUpdate } from '../../spec/updates.ts';

export interface DefinitionsSource {
  readonly io: FileIO;
  readonly runtime: Runtime;
  readonly signal: AbortSignal | undefined;
}

/**
 * Removes partition specs that no manifest of the snapshots is of, and schemas that none of them was written with. A
 * schema stays as well if no other has a column that is needed: the source of a partition field of a spec that stays,
 * or, where there are delete files, any column, since a dropped one still deletes (spec: "Equality Delete Files").
 */
export async function removeUnusedDefinitions(
  source: DefinitionsSource,
  metadata: TableMetadata,
  snapshots: readonly Snapshot[],
): Promise<readonly TableUpdate[]> {
  const { partitionSpecs, schemas, defaultSpecId } = metadata;
  if (partitionSpecs.length < 2 && schemas.length < 2) return [];
  const usedSpecs = new Set([defaultSpecId]);
  let hasDeletes = false;
  const { signal } = source;
  const lists = lookAhead(snapshots, source.runtime.concurrency, (snapshot) =>
    readManifestList(source.io, snapshot, metadata, signal ? { signal } : {}),
  );
  for await (const manifests of lists) {
    for (const { partitionSpecId, content } of manifests) {
      usedSpecs.add(partitionSpecId);
      hasDeletes ||= content === 'deletes';
    }
  }
  const specIds = partitionSpecs.map(({ specId }) => specId).filter((id) => !usedSpecs.has(id));
  const schemaIds = unusedSchemas(metadata, snapshots, usedSpecs, hasDeletes);
  return [
    ...(specIds.length > 0 ? [{ action: 'remove-partition-specs', specIds } as const] : []),
    ...(schemaIds.length > 0 ? [{ action: 'remove-schemas', schemaIds } as const] : []),
  ];
}

function unusedSchemas(
  { schemas, currentSchemaId, partitionSpecs }: TableMetadata,
  snapshots: readonly Snapshot[],
  usedSpecs: ReadonlySet<number>,
  hasDeletes: boolean,
): readonly number[] {
  const used = new Set<number | null>([currentSchemaId, ...snapshots.map(({ schemaId }) => schemaId)]);
  const columns = new Set(
    schemas.filter(({ schemaId }) => used.has(schemaId)).flatMap((schema) => [...indexById(schema).keys()]),
  );
  const sources = new Set(
    partitionSpecs
      .filter(({ specId }) => usedSpecs.has(specId))
      .flatMap(({ fields }) => fields.flatMap(({ sourceIds }) => sourceIds)),
  );
  // The newest one that has a column is kept for it: it knows the column's last type.
  const unused = schemas.toReversed().filter((schema) => {
    if (used.has(schema.schemaId)) return false;
    const missing = [...indexById(schema).keys()].filter((id) => !columns.has(id) && (hasDeletes || sources.has(id)));
    for (const id of missing) columns.add(id);
    return missing.length === 0;
  });
  return unused.map(({ schemaId }) => schemaId).toReversed();
}
