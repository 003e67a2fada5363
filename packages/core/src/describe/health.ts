import { tableProperty } from '../spec/table-properties.ts';
import type { Properties } from '../spec/table-properties.ts';
import { SMALL_FILE_RATIO } from './count-files.ts';
import { bytesText, countText, percentText } from './quantity-text.ts';
import type { TableContents, TableHealth } from './table-description.ts';

const TARGET = 'write.target-file-size-bytes';

/** A bad property must not keep a table from being described. */
export function targetFileBytes(properties: Properties): number {
  const given = Number(properties[TARGET]);
  return Number.isSafeInteger(given) && given > 0 ? given : tableProperty({}, TARGET);
}

export interface HealthInput {
  readonly contents: TableContents;
  readonly targetFileBytes: number;
  readonly snapshots: number;
  readonly metadataBytes: number | null;
}

export function tableHealth(input: HealthInput): TableHealth {
  const { contents, targetFileBytes: target } = input;
  const { dataFiles, rows, deletes } = contents;
  const bytes = contents.files?.dataBytes ?? contents.bytes;
  const health = {
    targetFileBytes: target,
    averageFileBytes: bytes === null || !dataFiles ? null : Math.round(bytes / dataFiles),
    deleteRatio: deletes === null || rows === null ? null : deletes === 0 ? 0 : deletes / Math.max(rows, 1),
  };
  return { ...health, findings: FINDINGS.flatMap((find) => find(input, health) ?? []) };
}

type Finding = (input: HealthInput, health: Omit<TableHealth, 'findings'>) => string | null;

/** Worth a rewrite from here on. */
const HIGH_DELETE_RATIO = 0.1;
/** Iceberg Java merges as many manifests into one. */
const MANY_MANIFESTS = 100;
const SMALL_MANIFEST_BYTES = 1024 * 1024;
/** It is read and written as a whole for every commit. */
const LARGE_METADATA_BYTES = 16 * 1024 * 1024;

const FINDINGS: readonly Finding[] = [
  ({ contents: { files, dataFiles }, targetFileBytes: target }, { averageFileBytes }) => {
    if (files) {
      // One small file can't be joined with another.
      if (files.smallFiles < 2) return null;
      const share = `${countText(files.smallFiles)} of ${countText(dataFiles ?? files.smallFiles)} data files`;
      return `${share} are smaller than 75 % of the target size (${bytesText(target)}): compaction would join them.`;
    }
    if (averageFileBytes === null || (dataFiles ?? 0) < 2 || averageFileBytes >= target * SMALL_FILE_RATIO) return null;
    return `Data files have ${bytesText(averageFileBytes)} on average, the target size is ${bytesText(target)}: compaction would join them.`;
  },
  (_, { deleteRatio }) =>
    deleteRatio !== null && deleteRatio >= HIGH_DELETE_RATIO
      ? `Deletes are ${percentText(deleteRatio)} of the rows: every read applies them, until data files are rewritten.`
      : null,
  ({ contents: { files } }) =>
    files && files.equalityDeleteFiles > 0
      ? `${countText(files.equalityDeleteFiles)} equality delete files are compared with every row that they may delete.`
      : null,
  ({ contents: { dataManifests, deleteManifests, manifestBytes } }) => {
    const manifests = dataManifests + deleteManifests;
    return manifests >= MANY_MANIFESTS && manifestBytes / manifests < SMALL_MANIFEST_BYTES
      ? `${countText(manifests)} manifests have ${bytesText(manifestBytes / manifests)} on average: rewriting them makes planning faster.`
      : null;
  },
  ({ metadataBytes, snapshots }) =>
    metadataBytes !== null && metadataBytes >= LARGE_METADATA_BYTES
      ? `The metadata file has ${bytesText(metadataBytes)} for ${countText(snapshots)} snapshots: expiring old ones makes commits faster.`
      : null,
];
