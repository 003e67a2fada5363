import type { Snapshot, SnapshotRef } from '../spec/snapshot.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import { descriptionLines, descriptionText } from './description-text.ts';

/** A column as a table's description has it. */
export interface ColumnDescription {
  readonly name: string;
  /** Iceberg's text of the type. */
  readonly type: string;
  readonly required: boolean;
  /** It is one of the identifier fields. */
  readonly isKey: boolean;
  /** What is written where a writer gives no value, as JSON; null if that is null. */
  readonly writeDefault: string | null;
  readonly doc: string | null;
}

/** What a snapshot holds. Null is unknown: some writers don't say. Sizes are in bytes. */
export interface TableContents {
  readonly dataFiles: number | null;
  /** In data files, those that are deleted included. */
  readonly rows: number | null;
  /** Of data and delete files. */
  readonly bytes: number | null;
  readonly deleteFiles: number | null;
  /** Rows of delete files: positions, or keys of rows. */
  readonly deletes: number | null;
  readonly dataManifests: number;
  readonly deleteManifests: number;
  readonly manifestBytes: number;
  /** Null unless asked for. */
  readonly files: FileCounts | null;
}

/** What the manifests tell of the files, for `describe({ files: true })`. */
export interface FileCounts {
  /** Of data files alone. */
  readonly dataBytes: number;
  readonly smallestBytes: number;
  readonly largestBytes: number;
  /** Data files below 75 % of the target size, which compaction would join with others. */
  readonly smallFiles: number;
  readonly smallFileBytes: number;
  readonly positionDeleteFiles: number;
  readonly deletionVectors: number;
  readonly equalityDeleteFiles: number;
  readonly deleteBytes: number;
}

export interface TableHealth {
  /** `write.target-file-size-bytes`. */
  readonly targetFileBytes: number;
  /** Of data files; where only the sum of all files is known, of that over the number of data files. */
  readonly averageFileBytes: number | null;
  /** Deletes per row. */
  readonly deleteRatio: number | null;
  /** What slows reading down, in words. */
  readonly findings: readonly string[];
}

export interface TableDescriptionFields {
  readonly name: string;
  readonly location: string;
  readonly metadataLocation: string;
  readonly uuid: string;
  readonly formatVersion: FormatVersion;
  readonly lastUpdatedMs: number;
  readonly columns: readonly ColumnDescription[];
  /** Like `day(ts)`. */
  readonly partitionedBy: readonly string[];
  /** Like `city desc nulls last`. */
  readonly sortedBy: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
  readonly refs: Readonly<Record<string, SnapshotRef>>;
  /** How many snapshots the table keeps. */
  readonly snapshots: number;
  /** The size of the metadata file; null if it can't be had. */
  readonly metadataBytes: number | null;
  /** The one that is described; null for a table without any. */
  readonly snapshot: Snapshot | null;
  readonly contents: TableContents;
  readonly health: TableHealth;
}

/** A line of a description, for those who print it in their own way. */
export interface DescriptionLine {
  readonly section: string;
  readonly name: string;
  readonly value: string;
}

/** A table at one snapshot, as data; its text is for people. */
export interface TableDescription extends TableDescriptionFields {
  lines(): readonly DescriptionLine[];
  toString(): string;
}

export function tableDescription(fields: TableDescriptionFields): TableDescription {
  const methods = {
    lines: () => descriptionLines(fields),
    toString: () => descriptionText(fields),
  };
  // Not enumerable: printing the object shows data.
  return Object.defineProperties({ ...fields } as TableDescription, {
    lines: { value: methods.lines },
    toString: { value: methods.toString },
  });
}
