/** A value of type `variant` in its binary form (Parquet "Variant Binary Encoding"): metadata and value bytes. */
export interface Variant {
  readonly kind: 'variant';
  readonly metadata: Uint8Array;
  readonly value: Uint8Array;
}
