import { compareValues, type Comparator } from '../spec/compare-values.ts';
import type { PartitionFieldSummary } from '../spec/manifest.ts';
import type { PartitionTuple } from '../spec/partition-spec.ts';
import { valueToBytes } from '../spec/single-value.ts';
import type { IcebergType, PrimitiveType, StructType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';

/** Collects what a manifest list says of the partition values in a manifest (spec: "Manifest Lists"). */
export class PartitionSummary {
  readonly #fields: readonly FieldSummary[];

  constructor(partition: StructType) {
    this.#fields = partition.fields.map(({ type }) => new FieldSummary(type as PrimitiveType));
  }

  add(tuple: PartitionTuple): void {
    for (let i = 0; i < this.#fields.length; i++) this.#fields[i]!.add(tuple[i] ?? null);
  }

  result(): readonly PartitionFieldSummary[] {
    return this.#fields.map((field) => field.result());
  }
}

class FieldSummary {
  readonly #type: IcebergType;
  /** None for a type without values. */
  readonly #compare: Comparator;
  #containsNull = false;
  #containsNaN = false;
  #lower: Value = null;
  #upper: Value = null;

  constructor(type: PrimitiveType) {
    this.#type = type;
    this.#compare = compareValues(type);
  }

  add(value: Value): void {
    if (value === null) this.#containsNull = true;
    else if (Number.isNaN(value)) this.#containsNaN = true;
    else {
      if (this.#lower === null || this.#compare(value, this.#lower) < 0) this.#lower = value;
      if (this.#upper === null || this.#compare(value, this.#upper) > 0) this.#upper = value;
    }
  }

  result(): PartitionFieldSummary {
    return {
      containsNull: this.#containsNull,
      containsNaN: this.#containsNaN,
      lowerBound: this.#bytes(this.#lower),
      upperBound: this.#bytes(this.#upper),
    };
  }

  #bytes(value: Value): Uint8Array | null {
    return value === null ? null : valueToBytes(this.#type, value);
  }
}
