import { invalidArgument } from '../errors.ts';
import { checkTableProperties } from '../spec/table-properties.ts';
import type { MetadataAction } from './action.ts';

/** Names that Iceberg keeps for metadata that is not a property. */
const RESERVED: Readonly<Record<string, string>> = {
  'format-version': 'use upgradeFormatVersion',
  uuid: 'it never changes',
  'snapshot-count': 'it is computed',
  'current-snapshot-id': 'use setCurrentSnapshot',
  'current-snapshot-summary': 'it is computed',
  'current-snapshot-timestamp-ms': 'it is computed',
  'current-schema': 'use updateSchema',
  'default-partition-spec': 'use updateSpec',
  'default-sort-order': 'use updateSortOrder',
};

/** Sets properties; those that aren't ours are kept as they are. INVALID_ARGUMENT for a bad value of one that is. */
export function setPropertiesAction(updates: Readonly<Record<string, string>>): MetadataAction {
  for (const [key, value] of Object.entries(updates)) {
    checkNotReserved(key);
    if (typeof value !== 'string') throw invalidArgument(`The value of the property '${key}' must be a string.`);
  }
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

function checkNotReserved(key: string): void {
  if (Object.hasOwn(RESERVED, key)) throw invalidArgument(`'${key}' is not a property: ${RESERVED[key]!}.`);
}
