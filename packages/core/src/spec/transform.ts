/** A partition or sort transform by name and parameter (spec: "Partition Transforms"). What they do is in `transforms/`. */
export type Transform =
  | { readonly kind: 'identity' | 'year' | 'month' | 'day' | 'hour' | 'void' }
  | { readonly kind: 'bucket'; readonly buckets: number }
  | { readonly kind: 'truncate'; readonly width: number }
  /** A name this version doesn't know: ignored for pruning, compared for equality, never written with. */
  | { readonly kind: 'unknown'; readonly text: string };

export type TransformKind = Transform['kind'];
