/** Exact arithmetic on the constants of a plan: numbers as `unscaled / 10^scale` or as fractions of integers. */
export interface Rational {
  readonly numerator: bigint;
  /** Positive. */
  readonly denominator: bigint;
}

export function whole(value: bigint): Rational {
  return { numerator: value, denominator: 1n };
}

/** `numerator / denominator`, the latter not 0. */
export function fraction(numerator: bigint, denominator: bigint): Rational {
  return denominator < 0n ? { numerator: -numerator, denominator: -denominator } : { numerator, denominator };
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

export function plus(a: Rational, b: Rational): Rational {
  if (a.denominator === b.denominator) return { numerator: a.numerator + b.numerator, denominator: a.denominator };
  return {
    numerator: a.numerator * b.denominator + b.numerator * a.denominator,
    denominator: a.denominator * b.denominator,
  };
}

export function times(a: Rational, b: Rational): Rational {
  return { numerator: a.numerator * b.numerator, denominator: a.denominator * b.denominator };
}

/** `1 / value`, which isn't 0. */
export function inverse({ numerator, denominator }: Rational): Rational {
  return fraction(denominator, numerator);
}

export function magnitude({ numerator, denominator }: Rational): Rational {
  return { numerator: numerator < 0n ? -numerator : numerator, denominator };
}

/** Negative, 0 or positive. */
export function compare(a: Rational, b: Rational): number {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function floor({ numerator, denominator }: Rational): bigint {
  const quotient = numerator / denominator;
  return numerator < 0n && numerator % denominator !== 0n ? quotient - 1n : quotient;
}

export function ceil(value: Rational): bigint {
  return -floor({ numerator: -value.numerator, denominator: value.denominator });
}

/** The double that is nearest, give or take a few units in its last place. */
export function toDouble({ numerator, denominator }: Rational): number {
  const quotient = Number(numerator) / Number(denominator);
  if (Number.isFinite(quotient) && quotient !== 0) return quotient;
  // One of the two is beyond the doubles: 64 more bits than the other has are enough.
  const shift = BigInt(Math.max(0, numerator.toString(2).length, denominator.toString(2).length) - 900);
  return shift > 0n ? Number(numerator >> shift) / Number(denominator >> shift) : quotient;
}

export function scaleUp({ numerator, denominator }: Rational, factor: bigint): Rational {
  return { numerator: numerator * factor, denominator };
}
