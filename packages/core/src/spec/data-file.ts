import type { PartitionTuple } from './partition-spec.ts';

export type FileContent = 'data' | 'position-deletes' | 'equality-deletes';
export type FileFormat = 'parquet' | 'avro' | 'orc' | 'puffin';

/**
 * A data or delete file (spec: "Data File Fields"). Counts and sizes are numbers: a file that breaks 2^53 is refused
 * when it is read. Maps that a manifest leaves out, or that a plan did not ask for, are null: unknown, not zero.
 */
export interface DataFile {
  readonly content: FileContent;
  readonly path: string;
  readonly format: FileFormat;
  /** From the manifest that lists the file. */
  readonly specId: number;
  readonly partition: PartitionTuple;
  readonly recordCount: number;
  readonly fileSizeInBytes: number;
  readonly columnSizes: ReadonlyMap<number, number> | null;
  readonly valueCounts: ReadonlyMap<number, number> | null;
  readonly nullValueCounts: ReadonlyMap<number, number> | null;
  readonly nanValueCounts: ReadonlyMap<number, number> | null;
  /** Single-value binary form by field id (spec: appendix D). */
  readonly lowerBounds: ReadonlyMap<number, Uint8Array> | null;
  readonly upperBounds: ReadonlyMap<number, Uint8Array> | null;
  readonly keyMetadata: Uint8Array | null;
  readonly splitOffsets: readonly number[] | null;
  readonly equalityIds: readonly number[] | null;
  readonly sortOrderId: number | null;
  /** v3: row id of the file's first row, inherited if the manifest has none (spec: "First Row ID Inheritance"). */
  readonly firstRowId: bigint | null;
  readonly referencedDataFile: string | null;
  readonly contentOffset: number | null;
  readonly contentSizeInBytes: number | null;
}

/** The metrics of a file of which nothing is known. */
export const NO_METRICS: Pick<
  DataFile,
  'columnSizes' | 'valueCounts' | 'nullValueCounts' | 'nanValueCounts' | 'lowerBounds' | 'upperBounds'
> = {
  columnSizes: null,
  valueCounts: null,
  nullValueCounts: null,
  nanValueCounts: null,
  lowerBounds: null,
  upperBounds: null,
};
