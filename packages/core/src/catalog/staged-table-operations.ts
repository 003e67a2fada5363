import type { Runtime } from '../runtime.ts';
import { applyUpdates } from '../spec/apply-updates.ts';
import { checkRequirements } from '../spec/requirements.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { LoadedMetadata, TableOperations } from './catalog.ts';

/**
 * Operations of a table that is not there until the first commit, which makes it together with what that commit adds.
 * `create` makes a table of its first metadata: ALREADY_EXISTS if others were faster.
 */
export function stagedTableOperations(
  operations: TableOperations,
  metadata: TableMetadata,
  runtime: Runtime,
  create: (metadata: TableMetadata) => Promise<LoadedMetadata>,
): TableOperations {
  const staged: LoadedMetadata = { metadata, metadataLocation: '' };
  let isCreated = false;
  return {
    name: operations.name,
    io: operations.io,
    get readOnly() {
      return operations.readOnly;
    },
    load: () => (isCreated ? operations.load() : Promise.resolve(staged)),
    async commit(base, requirements, updates) {
      if (isCreated) return operations.commit(base, requirements, updates);
      checkRequirements(metadata, requirements);
      const context = { nowMs: runtime.now(), baseMetadataLocation: null };
      const created = await create(applyUpdates(metadata, updates, context));
      isCreated = true;
      return created;
    },
    prepareCommit: async (base) => (isCreated ? operations.prepareCommit?.(base) : undefined),
    makeLast: async (loaded) => (isCreated ? operations.makeLast?.(loaded) : undefined),
    newMetadataFileLocation: (of, fileName) => operations.newMetadataFileLocation(of, fileName),
  };
}
