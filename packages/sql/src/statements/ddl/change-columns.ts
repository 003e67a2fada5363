import type { Schema, SchemaUpdate, Transaction } from '@lh/core';
import { findFieldByName, indexById, invalidArgument } from '@lh/core/engine';
import type { ColumnChange, ColumnParts, ColumnPosition } from './alter-column.ts';
import { columnPath } from './column-path.ts';
import { evaluateDefault, resolveType } from './resolve-columns.ts';
import type { ConstantEvaluator } from './resolve-columns.ts';

type SchemaStep = (schema: SchemaUpdate) => void;

/** Makes the changes of columns as one change of the schema, or as few as can be. */
export async function changeColumns(
  changes: readonly ColumnChange[],
  transaction: Transaction,
  evaluator: ConstantEvaluator,
): Promise<void> {
  let steps: SchemaStep[] = [];
  const apply = (): void => {
    const made = steps;
    steps = [];
    if (made.length > 0) transaction.updateSchema((schema) => made.forEach((step) => step(schema)));
  };
  for (const change of changes) {
    // The type of its column may be of this statement.
    if (change.kind === 'default') apply();
    steps.push(await stepOf(change, transaction.schema, evaluator));
  }
  apply();
}

/** What has to be asked of DuckDB is known before: a step may be made again on a newer version of the table. */
async function stepOf(change: ColumnChange, before: Schema, evaluator: ConstantEvaluator): Promise<SchemaStep> {
  switch (change.kind) {
    case 'add':
      return addStep(change, evaluator);
    case 'drop':
      return (schema) => {
        const name = columnPath(schema.schema, change.column.join('.'));
        if (name !== null || !change.ifExists) schema.deleteColumn(name ?? change.column);
      };
    case 'rename':
      return (schema) => schema.renameColumn(known(schema, change.column), change.to);
    case 'type': {
      const type = await resolveType(change.type, evaluator);
      return (schema) => schema.updateColumn(known(schema, change.column), type);
    }
    case 'required':
      return (schema) => {
        const name = known(schema, change.column);
        if (change.required) schema.requireColumn(name);
        else schema.makeOptional(name);
      };
    case 'comment':
      return (schema) => schema.updateColumnDoc(known(schema, change.column), change.doc);
    case 'move':
      return (schema) => move(schema, known(schema, change.column), change.position);
    case 'default': {
      const type = findFieldByName(before, change.column.join('.'), false)?.field.type;
      const value = change.default && type ? await evaluateDefault(change.default, type, evaluator) : null;
      return (schema) => schema.updateColumnDefault(known(schema, change.column), value);
    }
    case 'set-identifier':
      return (schema) => schema.setIdentifierFields(change.columns.map((column) => known(schema, column)));
    case 'drop-identifier':
      return (schema) => dropIdentifier(schema, change.columns);
  }
}

async function addStep(
  { parent, column, position, ifNotExists }: Extract<ColumnChange, { readonly kind: 'add' }>,
  evaluator: ConstantEvaluator,
): Promise<SchemaStep> {
  const { required, doc } = column;
  const type = await resolveType(column.type, evaluator);
  const value = column.default === null ? undefined : await evaluateDefault(column.default, type, evaluator);
  return (schema) => {
    const name = [...(parent.length === 0 ? [] : [known(schema, parent)]), column.name];
    if (ifNotExists && columnPath(schema.schema, name.join('.')) !== null) return;
    schema.addColumn(name, type, { required, default: value, ...(doc !== null && { doc }) });
    if (position) move(schema, name.join('.'), position);
  };
}

/** AFTER names a column beside the one that moves, or one by its full name. */
function move(schema: SchemaUpdate, name: string, position: ColumnPosition): void {
  if (position.kind === 'first') {
    schema.moveFirst(name);
    return;
  }
  const parent = findFieldByName(schema.schema, name)?.path.slice(0, -1) ?? [];
  const sibling = columnPath(schema.schema, [...parent, ...position.column].join('.'));
  schema.moveAfter(name, sibling ?? known(schema, position.column));
}

function dropIdentifier(schema: SchemaUpdate, columns: readonly ColumnParts[]): void {
  const { identifierFieldIds } = schema.schema;
  const dropped = columns.map((column) => {
    const id = findFieldByName(schema.schema, column.join('.'), false)?.field.id;
    if (id !== undefined && identifierFieldIds.includes(id)) return id;
    throw invalidArgument(`'${column.join('.')}' is no identifier field.`);
  });
  const kept = identifierFieldIds.filter((id) => !dropped.includes(id));
  schema.setIdentifierFields(kept.map((id) => indexById(schema.schema).get(id)!.path));
}

/** The name as the schema has it; as it was given if there is none, which core then says. */
function known(schema: SchemaUpdate, column: ColumnParts): string {
  return columnPath(schema.schema, column.join('.')) ?? column.join('.');
}
