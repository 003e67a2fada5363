import { isLakehouseError } from '@lh/core';
import type { ErrorCode, IcebergType, LakehouseError, NestedField } from '@lh/core';
import { defaultOf } from '@lh/core/engine';
import { isBareContextFunction, isContextFunction } from '../../query/context-calls.ts';
import type { SqlResult } from '../../results/sql-result.ts';
import { duckdbType } from '../../types/duckdb-types.ts';
import { isName, isSymbol, tokenize } from '../../text/tokens.ts';
import type { ColumnDefinition, DefaultDefinition, TypeDefinition } from './type-definition.ts';

/** What turns the SQL text of defaults into values. */
export interface ConstantEvaluator {
  run(sql: string): Promise<SqlResult>;
  /** INVALID_ARGUMENT at a token of the statement. */
  error(message: string, at: number): LakehouseError;
}

/** Columns as fields of a schema, whose ids are yet to be given. */
export async function resolveColumns(
  columns: readonly ColumnDefinition[],
  evaluator: ConstantEvaluator,
): Promise<readonly NestedField[]> {
  const fields: NestedField[] = [];
  for (const column of columns) fields.push(await resolveColumn(column, evaluator));
  return fields;
}

async function resolveColumn(column: ColumnDefinition, evaluator: ConstantEvaluator): Promise<NestedField> {
  const { name, required, doc } = column;
  const type = await resolveType(column.type, evaluator);
  const value =
    column.default === null ? null : defaultOf(type, await evaluateDefault(column.default, type, evaluator));
  return {
    id: 0,
    name,
    required,
    type,
    ...(doc !== null && { doc }),
    ...(value !== null && { initialDefault: value, writeDefault: value }),
  };
}

export async function resolveType(definition: TypeDefinition, evaluator: ConstantEvaluator): Promise<IcebergType> {
  switch (definition.kind) {
    case 'leaf':
      return definition.type;
    case 'struct':
      return { kind: 'struct', fields: await resolveColumns(definition.fields, evaluator) };
    case 'list': {
      const { elementRequired } = definition;
      return { kind: 'list', elementId: 0, elementRequired, element: await resolveType(definition.element, evaluator) };
    }
    case 'map':
      return {
        kind: 'map',
        keyId: 0,
        key: await resolveType(definition.key, evaluator),
        valueId: 0,
        valueRequired: definition.valueRequired,
        value: await resolveType(definition.value, evaluator),
      };
  }
}

/** The value of a default in the form that users give values in. A struct's can only be `{}`, which DuckDB has no text for. */
export async function evaluateDefault(
  { sql, at }: DefaultDefinition,
  type: IcebergType,
  evaluator: ConstantEvaluator,
): Promise<unknown> {
  if (/^\{\s*\}$/.test(sql)) return {};
  if (!isConstant(sql)) throw evaluator.error('A default is a constant: rows that are there get it, too.', at);
  try {
    const result = await evaluator.run(`SELECT CAST((${sql}) AS ${duckdbType(type)}) AS value`);
    const [row] = await result.rows();
    return row?.['value'];
  } catch (error) {
    if (!isLakehouseError(error) || !OF_THE_TEXT.has(error.code)) throw error;
    throw evaluator.error(error.message.split('\n')[0]!, at);
  }
}

/** What DuckDB answers to a text that is no constant. */
const OF_THE_TEXT: ReadonlySet<ErrorCode> = new Set(['INVALID_ARGUMENT', 'NOT_FOUND', 'UNSUPPORTED']);

const QUERY_WORDS: ReadonlySet<string> = new Set(['select', 'from', 'with', 'values', 'table']);
const OTHER_EACH_TIME: ReadonlySet<string> = new Set('random uuid gen_random_uuid uuidv4 uuidv7 nextval'.split(' '));

/** What is left is DuckDB's to refuse: names of columns mean nothing there. */
function isConstant(sql: string): boolean {
  const tokens = tokenize(sql);
  return tokens.every((token, i) => {
    if (!isName(token)) return true;
    const word = token.value.toLowerCase();
    if (token.kind === 'word' && (QUERY_WORDS.has(word) || isBareContextFunction(word))) return false;
    return !isSymbol(tokens[i + 1], '(') || !(isContextFunction(word) || OTHER_EACH_TIME.has(word));
  });
}
