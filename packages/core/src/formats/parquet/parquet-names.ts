const LETTER = /^[\p{L}_]$/u;
const LETTER_OR_DIGIT = /^[\p{L}\p{Nd}_]$/u;

/**
 * The name of a column inside a Parquet file. As Iceberg Java does, characters that Avro doesn't allow in names are
 * spelled out (`a b` is `a_x20b`, `1st` is `_1st`): some readers see Parquet through Avro. Columns are found by field
 * id, so nothing depends on it.
 */
export function parquetName(name: string): string {
  let out = '';
  for (let i = 0; i < name.length; i++) {
    // One UTF-16 unit at a time, as Java sees it.
    const unit = name[i]!;
    out += (i === 0 ? LETTER : LETTER_OR_DIGIT).test(unit) ? unit : spelledOut(unit);
  }
  return out;
}

function spelledOut(unit: string): string {
  if (/^[0-9]$/.test(unit)) return `_${unit}`;
  return `_x${unit.charCodeAt(0).toString(16).toUpperCase()}`;
}
