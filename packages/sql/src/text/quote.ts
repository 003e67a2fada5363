/** A name as SQL text, always quoted. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteNames(names: readonly string[]): string {
  return names.map(quoteName).join('.');
}

/** A string literal. DuckDB's scanner stops at a NUL, so that one is spliced in with `chr(0)`. */
export function quoteString(text: string): string {
  const pieces = text.split('\u0000').map((piece) => `'${piece.replaceAll("'", "''")}'`);
  return pieces.length === 1 ? pieces[0]! : `(${pieces.join(' || chr(0) || ')})`;
}

export function quoteBytes(bytes: Uint8Array): string {
  return `from_hex('${toHex(bytes)}')`;
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
