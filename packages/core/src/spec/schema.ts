import type { StructType } from './types.ts';

/**
 * A table schema: a struct with an id and identifier fields. Immutable; build one with `schema({ … })`.
 * `Row` is the type of the rows that the builder inferred; it exists at compile time only.
 */
export interface Schema<Row = Record<string, unknown>> extends StructType {
  readonly schemaId: number;
  /** Field ids that together identify a row (spec: "Identifier Field IDs"). */
  readonly identifierFieldIds: readonly number[];
  readonly [rowType]?: Row;
}

declare const rowType: unique symbol;

/** The type of a schema's rows, as `toRows()` gives them: `InferRow<typeof shape>`. */
export type InferRow<S> = S extends Schema<infer Row> ? Row : never;
