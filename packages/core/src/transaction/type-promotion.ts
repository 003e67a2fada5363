import { MICROS_PER_DAY, NANOS_PER_DAY } from '../spec/datetime-text.ts';
import type { PartitionField } from '../spec/partition-spec.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import { typeToText } from '../spec/type-text.ts';
import type { IcebergType, TypeKind } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';

interface Promotion {
  readonly since: FormatVersion;
  /** A default of the narrower type as one of the wider. */
  readonly value: (value: Value) => Value;
}

const same = (value: Value): Value => value;

/** Legal promotions between types without parameters (spec: "Schema Evolution"). */
const PROMOTIONS: { readonly [F in TypeKind]?: { readonly [T in TypeKind]?: Promotion } } = {
  int: { long: { since: 1, value: (value) => BigInt(value as number) } },
  float: { double: { since: 1, value: same } },
  date: {
    timestamp: { since: 3, value: (value) => BigInt(value as number) * MICROS_PER_DAY },
    timestamp_ns: { since: 3, value: (value) => BigInt(value as number) * NANOS_PER_DAY },
  },
};

/** How values change with a column's type; undefined where the table's version doesn't allow the change. */
export function promotionOf(
  from: IcebergType,
  to: IcebergType,
  version: FormatVersion,
): ((value: Value) => Value) | undefined {
  if (from.kind === 'unknown') return version >= 3 ? same : undefined;
  if (from.kind === 'decimal' && to.kind === 'decimal') {
    return from.scale === to.scale && from.precision <= to.precision ? same : undefined;
  }
  if (typeToText(from) === typeToText(to)) return same;
  const promotion = PROMOTIONS[from.kind]?.[to.kind];
  return promotion && version >= promotion.since ? promotion.value : undefined;
}

/**
 * Whether a partition field's values stay the same when its source is promoted. A date and the timestamp of its
 * midnight lie in the same year, month and day, but hash and print differently.
 */
export function survivesPromotion({ transform }: PartitionField, from: IcebergType): boolean {
  return from.kind !== 'date' || ['year', 'month', 'day', 'void'].includes(transform.kind);
}
