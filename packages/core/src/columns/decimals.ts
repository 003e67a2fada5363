import { DECIMAL_WIDTH } from './layout.ts';

/** The unscaled value of row `row` of a Decimal128 column. */
export function readDecimal(view: DataView, row: number): bigint {
  const low = view.getBigInt64(row * DECIMAL_WIDTH, true);
  const high = view.getBigInt64(row * DECIMAL_WIDTH + 8, true);
  // Most decimals fit in 64 bits: the upper half only repeats the sign then.
  return high === low >> 63n ? low : (high << 64n) | BigInt.asUintN(64, low);
}

export function writeDecimal(view: DataView, row: number, value: bigint): void {
  view.setBigInt64(row * DECIMAL_WIDTH, BigInt.asIntN(64, value), true);
  view.setBigInt64(row * DECIMAL_WIDTH + 8, BigInt.asIntN(64, value >> 64n), true);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
