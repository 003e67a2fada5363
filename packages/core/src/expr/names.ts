/** Words with a meaning of their own; as names they need double quotes. */
const KEYWORDS: ReadonlySet<string> = new Set([
  'AND',
  'OR',
  'NOT',
  'IN',
  'IS',
  'NULL',
  'BETWEEN',
  'LIKE',
  'TRUE',
  'FALSE',
]);

export function isKeyword(word: string): boolean {
  return KEYWORDS.has(word.toUpperCase());
}

/** A full name as the text form of filters has it, quoted part by part where that is needed. */
export function nameToText(column: string): string {
  return column.split('.').map(quoteName).join('.');
}

function quoteName(name: string): string {
  return /^[\p{L}_][\p{L}\p{M}\p{N}_$]*$/u.test(name) && !isKeyword(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
