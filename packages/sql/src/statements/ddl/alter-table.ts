import { LakehouseError, isLakehouseError } from '@lh/core';
import type { ErrorCode, Table, Transaction } from '@lh/core';
import { invalidArgument, unsupported } from '@lh/core/engine';
import type { CatalogStatement, StatementContext, Target } from '../catalog-statement.ts';
import type { StatementText } from '../statement-text.ts';
import { TokenReader } from '../token-reader.ts';
import { readAlterActions } from './alter-actions.ts';
import type { AlterAction } from './alter-actions.ts';
import { changeRef } from './alter-refs.ts';
import { changeColumns } from './change-columns.ts';
import { changePartitioning, replacePartitioning, setSortOrder } from './change-partitioning.ts';
import { checkPlaces } from './check-places.ts';
import { execute, readExecute } from './execute.ts';
import { findTarget } from './find-target.ts';
import { NO_ROWS } from './outcomes.ts';
import type { Properties } from './properties.ts';
import { setProperties } from './set-properties.ts';

/** `ALTER TABLE [IF EXISTS] name action, …`: all actions are one commit. */
export function alterTable(text: StatementText): CatalogStatement | null {
  const reader = new TokenReader(text);
  if (!reader.take('alter', 'table')) return null;
  const ifExists = reader.take('if', 'exists');
  const name = reader.name('the name of a table');
  return {
    async run(context) {
      const target = await findTarget(name, context, ifExists);
      if (target === 'nothing') return NO_ROWS;
      // Tables of the session have actions of DuckDB's.
      if (target === null) return null;
      if (reader.take('execute')) return execute(readExecute(reader, name.join('.')), target, context);
      const actions = readAlterActions(reader);
      const [first] = actions;
      if (first?.kind === 'rename') {
        if (actions.length > 1) throw reader.error('RENAME TO is a statement of its own.', first.at);
        await renameTable(name, first.to, context);
        return NO_ROWS;
      }
      for (const action of actions) await checkPlaces({ properties: propertiesOf(action) }, context);
      await alter(target, actions, context, reader);
      return NO_ROWS;
    },
  };
}

async function renameTable(
  name: readonly string[],
  to: readonly string[],
  { resolver, refuseInTransaction }: StatementContext,
): Promise<void> {
  refuseInTransaction('RENAME TO');
  const from = await resolver.locate(name);
  if (from === null) throw invalidArgument(`'${name.join('.')}' is registered; register the table under the new name.`);
  const place = to.length === 1 ? { ...from, path: [...from.path.slice(0, -1), ...to] } : resolver.place(to, null);
  if (place.catalog !== from.catalog) {
    throw unsupported(`'${name.join('.')}' can't be renamed to '${to.join('.')}', which is in another catalog.`);
  }
  await from.catalog.renameTable(from.path, place.path);
}

async function alter(
  target: Target,
  actions: readonly AlterAction[],
  context: StatementContext,
  reader: TokenReader,
): Promise<void> {
  const evaluator = {
    run: (sql: string) => context.run(sql, context.signal),
    error: (message: string, at: number) => reader.error(message, at),
  };
  const locate = (error: unknown, at: number): unknown => withPlace(error, target.table, reader, at);
  const work = async (transaction: Transaction): Promise<void> => {
    for (let i = 0; i < actions.length;) {
      const action = actions[i]!;
      try {
        if (action.kind === 'column') {
          const changes = runOf(actions, i, 'column').map(({ change }) => change);
          i += changes.length;
          await changeColumns(changes, transaction, evaluator);
        } else if (action.kind === 'partitioning') {
          const changes = runOf(actions, i, 'partitioning').map(({ change }) => change);
          i += changes.length;
          changePartitioning(changes, transaction);
        } else {
          i++;
          act(action, target.table, transaction);
        }
      } catch (error) {
        throw locate(error, action.at);
      }
    }
  };
  try {
    await context.change(target, work);
  } catch (error) {
    throw locate(error, actions[0]?.at ?? 0);
  }
}

function propertiesOf(action: AlterAction): Properties {
  if (action.kind === 'set-properties') return action.properties;
  return action.kind === 'set-options' ? action.options.properties : {};
}

type ActionOf<K extends AlterAction['kind']> = Extract<AlterAction, { readonly kind: K }>;

/** The actions of one kind that follow each other: they make one new schema, or spec. */
function runOf<K extends AlterAction['kind']>(
  actions: readonly AlterAction[],
  first: number,
  kind: K,
): readonly ActionOf<K>[] {
  const isOther = (action: AlterAction): boolean => action.kind !== kind;
  const end = actions.findIndex((action, i) => i >= first && isOther(action));
  return actions.slice(first, end < 0 ? actions.length : end) as readonly AlterAction[] as readonly ActionOf<K>[];
}

function act(
  action: Exclude<AlterAction, ActionOf<'column' | 'partitioning'>>,
  table: Table,
  transaction: Transaction,
): void {
  switch (action.kind) {
    case 'order':
      setSortOrder(action.sortBy, transaction);
      transaction.setProperties({ 'write.distribution-mode': action.distribution });
      return;
    case 'set-properties':
      setProperties(action.properties, transaction);
      return;
    case 'unset-properties':
      transaction.removeProperties(action.keys);
      return;
    case 'set-options': {
      const { partitionBy, sortBy, formatVersion, location, properties } = action.options;
      if (location !== undefined) throw unsupported("A table's location can't be changed in SQL.");
      if (formatVersion !== undefined) transaction.upgradeFormatVersion(formatVersion);
      if (partitionBy) replacePartitioning(partitionBy, transaction);
      if (sortBy) setSortOrder(sortBy, transaction);
      setProperties(properties, transaction);
      return;
    }
    case 'ref':
      changeRef(action.change, new Set(Object.keys(table.refs())), transaction);
      return;
    case 'rename':
      throw invalidArgument('RENAME TO is a statement of its own.');
  }
}

const OF_THE_STATEMENT: ReadonlySet<ErrorCode> = new Set([
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'UNSUPPORTED',
]);

/** What core says of a change, with the table and the place in the statement. */
function withPlace(error: unknown, table: Table, reader: TokenReader, at: number): unknown {
  if (!isLakehouseError(error) || !OF_THE_STATEMENT.has(error.code) || 'position' in error.context) return error;
  const { message, context } = reader.error(`ALTER TABLE ${table.name}: ${error.message}`, at);
  return new LakehouseError(error.code, message, {
    context: { ...error.context, ...context, table: table.name },
    cause: error,
  });
}
