/** What texts that match a pattern begin with. */
export interface PatternPrefix {
  readonly prefix: string;
  /** All texts that begin so match. */
  readonly exact: boolean;
}

type ReadPattern = (pattern: string) => PatternPrefix | undefined;

const whole: ReadPattern = (prefix) => ({ prefix, exact: true });

/** What comes before the first character that means something else than itself. */
function before(special: RegExp): ReadPattern {
  return (pattern) => {
    const end = pattern.search(special);
    const prefix = end < 0 ? pattern : pattern.slice(0, end);
    return prefix === '' ? undefined : { prefix, exact: false };
  };
}

/** Of a regular expression that has to match the whole text. */
const regularExpression: ReadPattern = (pattern) => {
  if (pattern.includes('|')) return undefined;
  const end = pattern.search(/[.*+?^${}()[\]\\]/);
  const literal = end < 0 ? pattern : pattern.slice(0, end);
  // A quantifier is about the character before it, which may be missing.
  const prefix = /[*?{]/.test(pattern.charAt(end)) ? Array.from(literal).slice(0, -1).join('') : literal;
  return prefix === '' ? undefined : { prefix, exact: false };
};

/** By DuckDB's names of functions. */
const PATTERNS: Readonly<Record<string, ReadPattern>> = {
  prefix: whole,
  starts_with: whole,
  '^@': whole,
  '~~': before(/[%_\\]/),
  '~~~': before(/[*?[\\]/),
  regexp_full_match: regularExpression,
};

/** Undefined for patterns that begin with anything. */
export function patternPrefix(name: string, pattern: string): PatternPrefix | undefined {
  return Object.hasOwn(PATTERNS, name) ? PATTERNS[name]!(pattern) : undefined;
}
