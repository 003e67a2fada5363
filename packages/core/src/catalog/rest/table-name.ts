import { invalidArgument } from '../../errors.ts';
import type { Identifier } from '../catalog.ts';
import { identifierText, tableLevels } from '../identifier.ts';

/** A table's name as routes have it, and as messages do. */
export interface TableName {
  readonly namespace: readonly string[];
  readonly table: string;
  readonly text: string;
}

/** INVALID_ARGUMENT for a table without a namespace: routes have no place for it. */
export function tableName(name: Identifier): TableName {
  const { namespace, name: table } = tableLevels(name);
  if (namespace.length === 0) {
    throw invalidArgument(`'${table}' can't be a table of a REST catalog: name its namespace, too ('web.${table}').`);
  }
  return { namespace, table, text: identifierText([...namespace, table]) };
}
