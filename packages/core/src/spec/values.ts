import type { Variant } from './variant.ts';

/**
 * A single value inside the library (literals, partition values, bounds, defaults), exact for every type:
 *
 * | type | value |
 * | --- | --- |
 * | boolean | boolean |
 * | int, float, double | number |
 * | long | bigint |
 * | date | number: days since 1970-01-01 |
 * | time | bigint: microseconds since midnight |
 * | timestamp, timestamptz | bigint: microseconds since the epoch |
 * | timestamp_ns, timestamptz_ns | bigint: nanoseconds since the epoch |
 * | decimal(p,s) | bigint: the unscaled value |
 * | string | string |
 * | uuid | string: lower case, with hyphens |
 * | fixed, binary, geometry, geography | Uint8Array |
 * | struct | array of values in field order |
 * | list | array of values |
 * | map | array of [key, value] pairs |
 * | variant | Variant |
 * | unknown, or no value | null |
 *
 * What users give and get is another form: see `write/row-values.ts` and the table in the README.
 */
export type Value = boolean | number | bigint | string | Uint8Array | Variant | readonly Value[] | null;
