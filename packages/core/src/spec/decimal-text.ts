/** An exponent, or a text, beyond this can't belong to a decimal of 38 digits; it would only make a huge number. */
const MAX_EXPONENT = 1000;

/** Plain text with exactly `scale` digits after the point. */
export function formatDecimal(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/**
 * Reads decimal text (`12`, `-0.50`, `2E+20`) to an unscaled value. Undefined if it isn't a number or can't be held
 * exactly at the scale; zeros beyond the scale are fine.
 */
export function parseDecimal(text: string, scale: number): bigint | undefined {
  if (text.length > MAX_EXPONENT) return undefined;
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text);
  if (!match) return undefined;
  const [, sign, whole = '', fraction = '', exponentText = '0'] = match;
  const exponent = Number(exponentText);
  if (whole + fraction === '' || Math.abs(exponent) > MAX_EXPONENT) return undefined;

  const digits = whole + fraction;
  const shift = scale - fraction.length + exponent;
  const kept = shift >= 0 ? digits.padEnd(digits.length + shift, '0') : digits.slice(0, shift);
  const dropped = shift >= 0 ? '' : digits.slice(shift);
  if (/[1-9]/.test(dropped)) return undefined;
  const unscaled = BigInt(kept === '' ? '0' : kept);
  return sign === '-' ? -unscaled : unscaled;
}

/** Whether a value has at most `precision` digits. */
export function fitsPrecision(unscaled: bigint, precision: number): boolean {
  const limit = 10n ** BigInt(precision);
  return unscaled < limit && unscaled > -limit;
}
