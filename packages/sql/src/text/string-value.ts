/** The value of a string constant, `'it''s'` or `$$it's$$`; null for those of other kinds: `E'…'`, `X'…'`. */
export function stringValue(text: string): string | null {
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'");
  const tag = /^\$[^$]*\$/.exec(text)?.[0];
  return tag === undefined ? null : text.slice(tag.length, -tag.length);
}
