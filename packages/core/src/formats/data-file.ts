import type { Column } from '../columns/column.ts';
import type { SourceField } from '../columns/source-type.ts';
import type { IcebergType } from '../spec/types.ts';

/**
 * What every format of data files gives to the reader of a scan: its schema as a tree, and rows in batches of columns.
 * A format knows nothing of the table: which field of the schema stores which column is decided above it.
 */
export interface DataFileReader {
  /** The file's columns. */
  readonly fields: readonly FileField[];
  /**
   * The rows in the order of the file. The first bytes may be fetched at once; from then on, not much more than the next
   * row group's are fetched ahead of the consumer. To be called once.
   */
  read(options: ReadFileOptions): AsyncIterable<DecodedBatch>;
}

/** One element of a file's schema, with the parts that play a role in Iceberg's types: repeated groups, say, don't show. */
export interface FileField {
  /** Unique in its file. */
  readonly index: number;
  readonly name: string;
  /** The Iceberg field id, if the writer kept one. */
  readonly fieldId: number | null;
  readonly shape: FileShape;
}

/** The fields inside a field by the role that they play. */
export type Shape<Field> =
  | { readonly kind: 'leaf' }
  | { readonly kind: 'struct'; readonly fields: readonly Field[] }
  | { readonly kind: 'list'; readonly element: Field }
  | { readonly kind: 'map'; readonly key: Field; readonly value: Field };

export type FileShape = Shape<FileField>;

export interface OpenFileOptions {
  /** About how many columns and groups of rows the file has: it tells how much of its end is worth reading at once. */
  readonly expected?: { readonly columns: number; readonly rowGroups: number };
  readonly signal?: AbortSignal;
}

export interface ReadFileOptions {
  /**
   * Which fields to decode, by `FileField.index`; those inside one that is left out don't count. A struct of which
   * nothing else is wanted still tells which of its rows are null. With none at all, batches have a length only.
   */
  readonly fields: ReadonlySet<number>;
  /** The most rows of one batch; wide rows come in smaller ones. */
  readonly batchSize: number;
  /** Asked for each group of rows that the file keeps statistics of: false leaves it out. */
  readonly mayMatch?: (group: RowGroup) => boolean;
  readonly signal?: AbortSignal;
}

export interface DecodedBatch {
  readonly length: number;
  /** Position in the file of the batch's first row. */
  readonly firstRow: number;
  /** The columns' types as the file has them; their ids are `FileField.index`. */
  readonly fields: readonly SourceField[];
  readonly columns: readonly Column[];
}

/** A Parquet row group or the like. */
export interface RowGroup {
  readonly rowCount: number;
  /** What the file says of a field's values, as those of an Iceberg type; null if it says nothing. */
  readonly statistics: (field: FileField, type: IcebergType) => FieldStatistics | null;
}

/** Counts are null, and so are bounds, where they are unknown. Bounds are in the single-value binary form. */
export interface FieldStatistics {
  readonly valueCount: number;
  readonly nullCount: number | null;
  readonly lower: Uint8Array | null;
  readonly upper: Uint8Array | null;
}

export function fieldsInside({ shape }: FileField): readonly FileField[] {
  return partsOf(shape);
}

export function partsOf<Field>(shape: Shape<Field>): readonly Field[] {
  switch (shape.kind) {
    case 'leaf':
      return [];
    case 'struct':
      return shape.fields;
    case 'list':
      return [shape.element];
    case 'map':
      return [shape.key, shape.value];
  }
}
