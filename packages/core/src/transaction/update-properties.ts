import { checkNotReserved, checkTableProperties } from '../spec/table-properties.ts';
import type { MetadataAction } from './action.ts';

/** Sets properties; those that aren't ours are kept as they are. INVALID_ARGUMENT for a bad value of one that is. */
export function setPropertiesAction(updates: Readonly<Record<string, string>>): MetadataAction {
  checkTableProperties(updates);
  return {
    build(metadata) {
      const changed = Object.entries(updates).filter(([key, value]) => metadata.properties[key] !== value);
      return changed.length === 0 ? [] : [{ action: 'set-properties', updates: Object.fromEntries(changed) }];
    },
  };
}

/** Removes properties; those that the table doesn't have are ignored. */
export function removePropertiesAction(keys: readonly string[]): MetadataAction {
  for (const key of keys) checkNotReserved(key);
  return {
    build(metadata) {
      const removals = [...new Set(keys)].filter((key) => metadata.properties[key] !== undefined);
      return removals.length === 0 ? [] : [{ action: 'remove-properties', removals }];
    },
  };
}
