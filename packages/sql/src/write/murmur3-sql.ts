/** The 32-bit hash of an 8-byte integer (spec: appendix B), as an expression of DuckDB, which has no such function. */
export function hashLongSql(value: string): string {
  const low = `CAST((${value}) & ${MASK} AS UBIGINT)`;
  const high = `CAST(((${value}) >> 32) & ${MASK} AS UBIGINT)`;
  const mixed = mixIn(mixIn('CAST(0 AS UBIGINT)', low), high);
  return finish(`xor(${mixed}, ${LENGTH})`);
}

/** Numbers of 32 bits are kept in unsigned ones of 64, which hold their products. */
const MASK = 0xffff_ffff;
const LENGTH = 8;
const ADDED = 0xe654_6b64;

function times(number: string, factor: number): string {
  return `((${number} * ${factor}) & ${MASK})`;
}

function rotated(number: string, bits: number): string {
  return `(${times(number, 2 ** bits)} | (${number} >> ${32 - bits}))`;
}

function mixIn(hash: string, block: string): string {
  const mixed = times(rotated(times(block, 0xcc9e_2d51), 15), 0x1b87_3593);
  return `((${rotated(`xor(${hash}, ${mixed})`, 13)} * 5 + ${ADDED}) & ${MASK})`;
}

function finish(hash: string): string {
  const shifted = (number: string, bits: number): string => `xor(${number}, ${number} >> ${bits})`;
  const first = times(shifted(hash, 16), 0x85eb_ca6b);
  const second = times(shifted(first, 13), 0xc2b2_ae35);
  return shifted(second, 16);
}
