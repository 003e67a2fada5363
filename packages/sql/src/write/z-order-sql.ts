import type { IcebergType, StructType, TypeKind } from '@lh/core';
import { Z_ORDER_BITS, Z_ORDER_BYTES, zOrderForm } from '@lh/core/engine';
import { quoteName } from '../text/quote.ts';
import { ROWS, columnAccess } from './stored-columns.ts';

/** Runs a query, and gives its rows. */
type Run = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

export interface ZOrderedQuery {
  /** The query with one column more, … */
  readonly query: string;
  /** … which is the key along the curve. */
  readonly key: string;
}

/**
 * Adds the key that brings together rows which are alike in several columns: the bits of all in turn, the highest first,
 * as core's `zOrder` makes it. Null if DuckDB has no expression for a column. The columns are read once more for this, to
 * find out what is their least and greatest.
 */
export async function zOrderedQuery(
  query: string,
  schema: StructType,
  ids: readonly number[],
  hiddenPrefix: string,
  run: Run,
): Promise<ZOrderedQuery | null> {
  const columns = ids.map((id) => columnAccess(schema, id));
  const forms = columns.map((column) => column && formOf(column.type, column.sql));
  const known = forms.filter((form) => form !== null);
  if (known.length < ids.length) return null;
  const from = `FROM (${query}) AS ${ROWS}`;
  const magnitudes: string[] = [];
  const texts = await commonPrefixes(known, from, run);
  known.forEach(({ sql, form }, i) => magnitudes.push(form === 'number' ? sql : bytesMagnitude(sql, texts[i]!)));
  const ranks = await rankExpressions(magnitudes, from, run);
  const bits = Math.floor(Z_ORDER_BITS / ids.length);
  const name = (column: number, step: number): string => quoteName(`${hiddenPrefix}z${column}_${step}`);
  const levels = spreadSteps(bits, ids.length);
  let nested = `SELECT *, ${ranks.map((rank, i) => `${rank} AS ${name(i, 0)}`).join(', ')} ${from}`;
  levels.forEach(({ shift, kept, moved }, step) => {
    const spread = ids.map(
      (_, i) => `((${name(i, step)} & ${kept}) | ((${name(i, step)} & ${moved}) << ${shift})) AS ${name(i, step + 1)}`,
    );
    nested = `SELECT *, ${spread.join(', ')} FROM (${nested})`;
  });
  const parts = ids.map((_, i) => `(${name(i, levels.length)} << ${ids.length - 1 - i})`);
  const key = quoteName(`${hiddenPrefix}z`);
  return { query: `SELECT *, ${parts.join(' | ')} AS ${key} FROM (${nested})`, key };
}

interface Form {
  /** A number, or the bytes in hexadecimal digits. */
  readonly sql: string;
  readonly form: 'number' | 'bytes';
}

function formOf(type: IcebergType, sql: string): Form | null {
  const form = zOrderForm(type);
  const make = EXPRESSIONS[type.kind];
  return form === null || make === null ? null : { sql: make(sql), form };
}

const asDouble = (sql: string): string => `CAST(${sql} AS DOUBLE)`;
/** Longer beginnings that all values have in common are not worth looking for. */
const MAX_PREFIX = 128;

/** Null for what DuckDB doesn't write. */
const EXPRESSIONS: Readonly<Record<TypeKind, ((sql: string) => string) | null>> = {
  boolean: asDouble,
  int: asDouble,
  long: asDouble,
  float: asDouble,
  double: asDouble,
  decimal: asDouble,
  date: (sql) => asDouble(`${sql} - DATE '1970-01-01'`),
  time: (sql) => asDouble(`epoch_us(${sql})`),
  timestamp: (sql) => asDouble(`try(epoch_us(${sql}))`),
  timestamptz: (sql) => asDouble(`try(epoch_us(${sql}))`),
  timestamp_ns: (sql) => asDouble(`try(epoch_ns(${sql}))`),
  timestamptz_ns: null,
  string: (sql) => `hex(left(${sql}, ${MAX_PREFIX}))`,
  uuid: (sql) => `replace(CAST(${sql} AS VARCHAR), '-', '')`,
  fixed: null,
  binary: (sql) => `hex((${sql})[1:${MAX_PREFIX}])`,
  geometry: null,
  geography: null,
  variant: null,
  unknown: null,
  struct: null,
  list: null,
  map: null,
};

/** How many digits the values of each column begin with alike. */
async function commonPrefixes(forms: readonly Form[], from: string, run: Run): Promise<readonly number[]> {
  const wanted = forms.flatMap(({ sql, form }, i) =>
    form === 'bytes' ? [`min(${sql}) AS "min${i}", max(${sql}) AS "max${i}"`] : [],
  );
  const [row = {}] = wanted.length === 0 ? [] : await run(`SELECT ${wanted.join(', ')} ${from}`);
  return forms.map((_, i) => {
    const [min, max] = [String(row[`min${i}`] ?? ''), String(row[`max${i}`] ?? '')];
    let same = 0;
    while (same < min.length && min[same] === max[same]) same++;
    // Whole bytes.
    return same - (same % 2);
  });
}

function bytesMagnitude(digits: string, prefix: number): string {
  const length = 2 * Z_ORDER_BYTES;
  return asDouble(`CAST('0x' || rpad(substr(${digits}, ${prefix + 1}, ${length}), ${length}, '0') AS UBIGINT)`);
}

/** Where values are between the least and the greatest finite one, as numbers of so many bits. */
async function rankExpressions(magnitudes: readonly string[], from: string, run: Run): Promise<readonly string[]> {
  const limits = magnitudes.flatMap((sql, i) => [
    `CAST(min(${sql}) FILTER (isfinite(${sql})) AS VARCHAR) AS "min${i}"`,
    `CAST(max(${sql}) FILTER (isfinite(${sql})) AS VARCHAR) AS "max${i}"`,
  ]);
  const [row = {}] = await run(`SELECT ${limits.join(', ')} ${from}`);
  const top = 2 ** Math.floor(Z_ORDER_BITS / magnitudes.length) - 1;
  return magnitudes.map((sql, i) => {
    const [min, max] = [Number(row[`min${i}`] ?? 0), Number(row[`max${i}`] ?? 0)];
    // Halves, as the difference of two doubles may be infinite.
    const range = max / 2 - min / 2;
    const rank =
      range === 0 ? '0' : `CAST(floor((${sql} / 2 - ${literal(min / 2)}) / ${literal(range)} * ${top}) AS BIGINT)`;
    return `CAST(CASE WHEN ${sql} IS NULL THEN 0 WHEN isfinite(${sql}) THEN ${rank} WHEN ${sql} = CAST('-infinity' AS DOUBLE) THEN 0 ELSE ${top} END AS BIGINT)`;
  });
}

function literal(value: number): string {
  return `CAST('${value}' AS DOUBLE)`;
}

interface SpreadStep {
  readonly shift: number;
  /** The bits that stay where they are, and those that move. */
  readonly kept: bigint;
  readonly moved: bigint;
}

/** Moves the bits of a number apart, `factor` places each: halves first, then their halves, down to single bits. */
function spreadSteps(bits: number, factor: number): readonly SpreadStep[] {
  const steps: SpreadStep[] = [];
  for (let chunk = 2 ** Math.ceil(Math.log2(bits)) / 2; chunk >= 1; chunk /= 2) {
    const masks: [bigint, bigint] = [0n, 0n];
    for (let bit = 0; bit < bits; bit++) {
      // Pairs of chunks are apart already.
      const pair = Math.floor(bit / (2 * chunk));
      masks[Math.floor(bit / chunk) % 2]! |= 1n << BigInt(pair * 2 * chunk * factor + (bit % (2 * chunk)));
    }
    steps.push({ shift: chunk * (factor - 1), kept: masks[0], moved: masks[1] });
  }
  return steps;
}
