/** Metadata columns, as they look in rows. */
interface MetadataRow {
  readonly _file: string;
  readonly _pos: bigint;
  readonly _spec_id: number;
  readonly _row_id: bigint | null;
  readonly _last_updated_sequence_number: bigint | null;
}

/**
 * The rows of a scan with `select`: of 'a.b' the whole type of `a` is kept, as the parts of nested types are not
 * followed. All columns when nothing is selected; unknown ones when the names are not literals.
 */
export type SelectedRow<Row, Select extends readonly string[]> = [Select[number]] extends [never]
  ? Row
  : string extends Select[number]
    ? Record<string, unknown>
    : { [K in ColumnOf<Row, Select[number]>]: ValueOf<Row, K> };

/** The column that a selected name is about: itself, or what stands before the first dot. */
type ColumnOf<Row, Name extends string> = Name extends keyof Row
  ? Name
  : Name extends `${infer Column}.${string}`
    ? Column
    : Name;

type ValueOf<Row, K extends string> = K extends keyof Row
  ? Row[K]
  : K extends keyof MetadataRow
    ? MetadataRow[K]
    : unknown;
