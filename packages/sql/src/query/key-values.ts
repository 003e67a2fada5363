import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import {
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBUUIDValue,
} from '@duckdb/node-api';
import type { JsonObject, JsonValue } from '@lh/core/engine';
import type { JoinKey } from '../plan/join-keys.ts';
import { overRows } from '../plan/node-sql.ts';
import type { PlanConstant, PlanExpression } from '../plan/plan-expression.ts';
import { object } from './serialized.ts';

/** So many values of a key are told one by one; of more only the least and the greatest. */
const MAX_VALUES = 1000;

/** What a scan's key has to be, and from how many values that follows; null for a range. */
export interface KeyCondition {
  readonly predicate: PlanExpression;
  readonly values: number | null;
}

/**
 * Reads the values of the other side of a join, whose rows `source` gives as `c0`, `c1`, …. Undefined for values that
 * aren't exact in JavaScript.
 */
export async function keyCondition(
  connection: DuckDBConnection,
  { key, op, value }: JoinKey,
  source: string,
): Promise<KeyCondition | undefined> {
  const values = `SELECT ${overRows(value)} AS v FROM (${source}) AS t`;
  const type = object(value['return_type']);
  const constants = (row: readonly DuckDBValue[]): readonly PlanConstant[] | undefined => {
    const found = row.map((one) => planValue(one));
    return found.every((one) => one !== undefined) ? found.map((one) => ({ type, value: one })) : undefined;
  };
  if (op === 'eq') {
    const distinct = await connection.runAndReadAll(
      `SELECT DISTINCT v FROM (${values}) WHERE v IS NOT NULL LIMIT ${MAX_VALUES + 1}`,
    );
    const rows = distinct.getRows().map(([one]) => one ?? null);
    if (rows.length <= MAX_VALUES) {
      const list = constants(rows);
      return list && { predicate: { kind: 'in', child: key, values: list.map(constant) }, values: list.length };
    }
  }
  const ends = await connection.runAndReadAll(`SELECT min(v), max(v) FROM (${values})`);
  const [least, greatest] = constants(ends.getRows()[0] ?? []) ?? [];
  return least && greatest && { predicate: rangePredicate(key, op, least, greatest), values: null };
}

const constant = (of: PlanConstant): PlanExpression => ({ kind: 'constant', constant: of });

/** What follows from `key op value` for some value between two. */
function rangePredicate(
  key: PlanExpression,
  op: JoinKey['op'],
  least: PlanConstant,
  greatest: PlanConstant,
): PlanExpression {
  const compared = (sign: 'lt' | 'lteq' | 'gt' | 'gteq', to: PlanConstant): PlanExpression => ({
    kind: 'compare',
    op: sign,
    left: key,
    right: constant(to),
  });
  if (op === 'eq') return { kind: 'and', children: [compared('gteq', least), compared('lteq', greatest)] };
  return compared(op, op === 'lt' || op === 'lteq' ? greatest : least);
}

/** A value of DuckDB as a plan has it. */
function planValue(value: DuckDBValue): JsonValue | undefined {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint' || typeof value === 'string')
    return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  if (value instanceof DuckDBDateValue) return value.days;
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) return value.micros;
  if (value instanceof DuckDBDecimalValue) return value.value;
  return value instanceof DuckDBUUIDValue ? value.hugeint : undefined;
}

/** Types whose values are exact as keys: equal ones are the same, and computing them loses nothing. */
const KEY_TYPES =
  /^(?:BOOLEAN|U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|DECIMAL|DATE|TIMESTAMP|TIMESTAMP WITH TIME ZONE|VARCHAR|UUID)$/;

export function isKeyType(type: JsonObject): boolean {
  // A text's type may have a collation.
  return KEY_TYPES.test(String(type['id'])) && (type['id'] !== 'VARCHAR' || type['type_info'] === undefined);
}
