import { encodeVariantNode } from './variant-encode.ts';
import { decodeVariant } from './variant-decode.ts';
import { nodeFromInput, nodeToJson } from './variant-node.ts';
import type { VariantNode } from './variant-node.ts';

/**
 * A value of type `variant` in its binary form (Parquet "Variant Binary Encoding"): metadata and value bytes. Nothing
 * is decoded until it is asked for.
 */
export class Variant {
  readonly kind = 'variant' as const;
  readonly metadata: Uint8Array;
  readonly value: Uint8Array;

  constructor(metadata: Uint8Array, value: Uint8Array) {
    this.metadata = metadata;
    this.value = value;
  }

  /**
   * Encodes a JSON value, in which bigint, Date and Uint8Array are understood as well. Whole numbers get the smallest
   * integer type that holds them, a Date becomes a timestamptz. INVALID_ARGUMENT for anything else, naming `what`.
   */
  static from(input: unknown, what = 'the variant'): Variant {
    return Variant.fromNode(nodeFromInput(input, what));
  }

  static fromNode(node: VariantNode): Variant {
    const { metadata, value } = encodeVariantNode(node);
    return new Variant(metadata, value);
  }

  /** The value with its physical types. INVALID_DATA if the bytes are broken. */
  toNode(): VariantNode {
    return decodeVariant(this.metadata, this.value);
  }

  /**
   * The plain value. What JSON lacks becomes text: integers beyond 2^53 and decimals their digits, dates and times
   * ISO-8601, binary base64.
   */
  toJSON(): unknown {
    return nodeToJson(this.toNode());
  }
}
