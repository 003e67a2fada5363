import { currentSpec } from '../spec/metadata-accessors.ts';
import { partitionFieldsEqual } from '../spec/partition-spec.ts';
import type { MetadataAction } from './action.ts';
import { SpecUpdate } from './update-spec.ts';

/** Describes a change of the partitioning on the builder; called again for each attempt to commit. */
export type SpecChange = (spec: SpecUpdate) => unknown;

/** Makes the changed spec the default one; an equal older spec is used again. */
export function evolveSpecAction(change: SpecChange): MetadataAction {
  return {
    build(metadata) {
      const update = new SpecUpdate(metadata);
      change(update);
      const spec = update.apply();
      if (partitionFieldsEqual(spec.fields, currentSpec(metadata).fields)) return [];
      return [
        { action: 'add-spec', spec },
        { action: 'set-default-spec', specId: -1 },
      ];
    },
  };
}
