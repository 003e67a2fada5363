/** Exact arithmetic on the constants of a plan: numbers as `unscaled / 10^scale` or as fractions of integers. */
export interface Rational {
  readonly numerator: bigint;
  /** Positive. */
  readonly denominator: bigint;
}

export function decimalRational(unscaled: bigint, scale: number): Rational {
  return { numerator: unscaled, denominator: 10n ** BigInt(scale) };
}

/** The exact value of a finite double. */
export function doubleRational(value: number): Rational {
  let denominator = 1n;
  let scaled = value;
  // Doubling is exact, and after at most 1074 steps no fraction is left.
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    denominator *= 2n;
  }
  return { numerator: BigInt(scaled), denominator };
}

export function scaleBy({ numerator, denominator }: Rational, factor: bigint): Rational {
  return { numerator: numerator * factor, denominator };
}

export function floor({ numerator, denominator }: Rational): bigint {
  const quotient = numerator / denominator;
  return numerator < 0n && numerator % denominator !== 0n ? quotient - 1n : quotient;
}

export function ceil(value: Rational): bigint {
  return -floor({ numerator: -value.numerator, denominator: value.denominator });
}

export function isWhole({ numerator, denominator }: Rational): boolean {
  return numerator % denominator === 0n;
}
