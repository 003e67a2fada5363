import { elementField, keyField, valueField } from '../spec/schema-fields.ts';
import { typeToText } from '../spec/type-text.ts';
import { isPrimitive } from '../spec/types.ts';
import type { ListType, MapType, NestedField, StructType } from '../spec/types.ts';
import { castLeaf } from './cast-leaf.ts';
import type { CastContext } from './cast-leaf.ts';
import { isValid } from './column.ts';
import type { Column, ListColumn, StructColumn } from './column.ts';
import { nullColumn } from './constant.ts';
import { sourceTypeToText } from './source-type.ts';
import type { SourceField, SourceType } from './source-type.ts';

/** Names from the root to a field, for messages and matching. */
export type FieldPath = readonly string[];

/** How the fields of outside data find their places in an Iceberg schema. */
export interface CastRules {
  readonly mode: CastContext['mode'];
  /** Which of a struct's source fields becomes the target field; -1 if none does. */
  readonly find: (target: NestedField, source: readonly SourceField[]) => number;
  /** The column of a field that the source lacks. */
  readonly missing: (target: NestedField, length: number, path: FieldPath) => Column;
  /** Called for each struct, to refuse source fields that no target wants. */
  readonly checkStruct?: (target: StructType, source: readonly SourceField[], path: FieldPath) => void;
  /** Whether a null in a required field fails. */
  readonly checkRequired: boolean;
  /** `row` is a row of the batch; null when it isn't about one. */
  readonly fail: (path: FieldPath, row: number | null, problem: string) => never;
}

/** Where the cast is: inside a struct, or inside lists, whose items are not rows of the batch. */
interface Spot {
  readonly path: FieldPath;
  readonly parent: Column | null;
  readonly batchRow: (row: number) => number;
}

/** Casts the columns of a batch to the fields of an Iceberg schema. */
export function castFields(
  target: StructType,
  fields: readonly SourceField[],
  columns: readonly Column[],
  length: number,
  rules: CastRules,
): readonly Column[] {
  return castChildren(target, fields, columns, length, rules, { path: [], parent: null, batchRow: (row) => row });
}

function castChildren(
  target: StructType,
  fields: readonly SourceField[],
  columns: readonly Column[],
  length: number,
  rules: CastRules,
  spot: Spot,
): readonly Column[] {
  rules.checkStruct?.(target, fields, spot.path);
  return target.fields.map((field) => {
    const path = [...spot.path, field.name];
    const i = rules.find(field, fields);
    return i < 0
      ? rules.missing(field, length, path)
      : castField(field, fields[i]!.type, columns[i]!, rules, { ...spot, path });
  });
}

function castField(target: NestedField, source: SourceType, column: Column, rules: CastRules, spot: Spot): Column {
  if (rules.checkRequired && target.required) requireValues(column, rules, spot);
  const { type } = target;
  // A column of Arrow's null type fits every optional field.
  if (source.kind === 'null') return nullColumn(type, column.length);
  if (isPrimitive(type)) {
    const fail = (row: number | null, problem: string): never =>
      rules.fail(spot.path, row === null ? null : spot.batchRow(row), problem);
    return castLeaf(source, column, type, { mode: rules.mode, fail });
  }
  if (type.kind === 'struct' && source.kind === 'struct') {
    const struct = column as StructColumn;
    const inside = { ...spot, parent: struct };
    return { ...struct, children: castChildren(type, source.fields, struct.children, struct.length, rules, inside) };
  }
  if (type.kind === 'list' && source.kind === 'list')
    return castList(type, source.item, column as ListColumn, rules, spot);
  if (type.kind === 'map' && source.kind === 'map') return castMap(type, source, column as ListColumn, rules, spot);
  const problem = `is of type ${sourceTypeToText(source)}, which does not fit the column's type ${typeToText(type)}`;
  return rules.fail(spot.path, null, problem);
}

function castList(type: ListType, item: SourceField, column: ListColumn, rules: CastRules, spot: Spot): Column {
  const field = elementField(type);
  return { ...column, items: castField(field, item.type, column.items, rules, itemSpot(spot, column, field.name)) };
}

function castMap(
  type: MapType,
  source: Extract<SourceType, { kind: 'map' }>,
  column: ListColumn,
  rules: CastRules,
  spot: Spot,
): Column {
  const entries = column.items as StructColumn;
  const cast = (field: NestedField, from: SourceField, child: Column): Column =>
    castField(field, from.type, child, rules, itemSpot(spot, column, field.name));
  const key = cast(keyField(type), source.key, entries.children[0]!);
  const value = cast(valueField(type), source.value, entries.children[1]!);
  return { ...column, items: { ...entries, validity: null, children: [key, value] } };
}

function itemSpot(spot: Spot, list: ListColumn, name: string): Spot {
  const batchRow = (item: number): number => spot.batchRow(list.offsets.findLastIndex((offset) => offset <= item));
  return { path: [...spot.path, name], parent: null, batchRow };
}

/** A null where the parent has none is missing; where the parent is null too, there is nothing to be missing. */
function requireValues(column: Column, rules: CastRules, { path, parent, batchRow }: Spot): void {
  if (column.validity === null && column.layout !== 'nothing') return;
  for (let row = 0; row < column.length; row++) {
    if (!isValid(column, row) && (parent === null || isValid(parent, row))) {
      rules.fail(path, batchRow(row), 'is required, but has no value');
    }
  }
}
