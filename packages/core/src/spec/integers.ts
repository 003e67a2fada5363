/** The ranges of Iceberg's integers. */
export const MIN_INT: number = -0x8000_0000;
export const MAX_INT: number = 0x7fff_ffff;
export const MIN_LONG: bigint = -(1n << 63n);
export const MAX_LONG: bigint = (1n << 63n) - 1n;

export function isInt(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= MIN_INT && value <= MAX_INT;
}

export function isLong(value: unknown): value is bigint {
  return typeof value === 'bigint' && value >= MIN_LONG && value <= MAX_LONG;
}
