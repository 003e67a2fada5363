import { invalidArgument } from '../errors.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import type { MetadataAction } from './action.ts';

const VERSIONS: readonly FormatVersion[] = [1, 2, 3];

/** Raises the format version; there is no way back. */
export function upgradeFormatVersionAction(version: FormatVersion): MetadataAction {
  if (!VERSIONS.includes(version))
    throw invalidArgument(`There is no format version ${String(version)}; choose 2 or 3.`);
  return {
    build(metadata) {
      if (version === metadata.formatVersion) return [];
      if (version < metadata.formatVersion) {
        throw invalidArgument(
          `The table has format version ${metadata.formatVersion}, and no way leads back to ${version}.`,
        );
      }
      return [{ action: 'upgrade-format-version', formatVersion: version }];
    },
  };
}
