import { JsonNumber } from '@lh/core/engine';
import type { JsonObject, JsonValue } from '@lh/core/engine';
import { isObject, list, object, text } from '../query/serialized.ts';
import { VARIANT_BYTES } from '../types/variant-bytes.ts';

/** Nodes of a plan that compare or compute nothing but what their expressions say. */
const PASSING_NODES: ReadonlySet<string> = new Set([
  'LOGICAL_AGGREGATE_AND_GROUP_BY',
  'LOGICAL_ANY_JOIN',
  'LOGICAL_COMPARISON_JOIN',
  'LOGICAL_CROSS_PRODUCT',
  'LOGICAL_CTE_REF',
  'LOGICAL_DELIM_GET',
  'LOGICAL_DELIM_JOIN',
  'LOGICAL_DISTINCT',
  'LOGICAL_DUMMY_SCAN',
  'LOGICAL_EMPTY_RESULT',
  'LOGICAL_EXPRESSION_GET',
  'LOGICAL_FILTER',
  'LOGICAL_GET',
  'LOGICAL_LIMIT',
  'LOGICAL_MATERIALIZED_CTE',
  'LOGICAL_ORDER_BY',
  'LOGICAL_PROJECTION',
  'LOGICAL_TOP_N',
  'LOGICAL_UNION',
  'LOGICAL_WINDOW',
]);

/**
 * Whether a plan does nothing with variants but hand them on and test them for null. What isn't understood counts as
 * something else.
 */
export function handsOnVariants(plan: JsonObject): boolean {
  return list(plan['plans']).every((root) => handsOn(root, false));
}

/** `isTarget`: what stands here only hands values on. */
function handsOn(value: JsonValue | undefined, isTarget: boolean): boolean {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).every((item) => handsOn(item, isTarget));
  if (!isObject(value)) return true;
  const type = value['type'];
  if (value['expression_class'] !== undefined) {
    if (!isTarget && holdsVariant(value['return_type'])) return false;
    const passes = isNullTest(value) || isField(value) || isCount(value);
    return Object.entries(value).every(([key, part]) => key === 'return_type' || handsOn(part, passes));
  }
  // Constants of filters.
  if (isObject(type) && holdsVariant(type)) return false;
  const isNode = typeof type === 'string' && type.startsWith('LOGICAL_');
  if (isNode && !PASSING_NODES.has(type)) return false;
  const isProjection = isNode ? type === 'LOGICAL_PROJECTION' : isTarget;
  return Object.values(value).every((part) => handsOn(part, isProjection));
}

function isNullTest({ type }: JsonObject): boolean {
  return type === 'OPERATOR_IS_NULL' || type === 'OPERATOR_IS_NOT_NULL';
}

/** A field of a struct, handed on as it is. */
function isField(expression: JsonObject): boolean {
  return expression['expression_class'] === 'BOUND_FUNCTION' && expression['name'] === 'struct_extract';
}

function isCount(expression: JsonObject): boolean {
  return (
    expression['expression_class'] === 'BOUND_AGGREGATE' &&
    expression['name'] === 'count' &&
    expression['aggregate_type'] === 'NON_DISTINCT'
  );
}

/** A plan's type that is VARIANT or has it inside. */
function holdsVariant(type: JsonValue | undefined): boolean {
  if (Array.isArray(type)) return (type as readonly JsonValue[]).some(holdsVariant);
  return isObject(type) && (type['id'] === 'VARIANT' || Object.values(type).some(holdsVariant));
}

/**
 * Whether two plans of one query are the same, where the second has structs of bytes in the place of variants: a query
 * that asks for a value's type, or casts to VARIANT, has different ones.
 */
export function samePlan(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    const [left, right] = [a as readonly JsonValue[], b as readonly JsonValue[]];
    return left.length === right.length && left.every((item, i) => samePlan(item, right[i]));
  }
  if (a instanceof JsonNumber && b instanceof JsonNumber) return a.text === b.text;
  if (!isObject(a) || !isObject(b)) return a === b;
  if (a['id'] === 'VARIANT' && isBytesType(b)) return true;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => NAMES.has(key) || samePlan(a[key], b[key]));
}

/** Keys under which the names of shadow tables are, and places in the text that follow from their lengths. */
const NAMES: ReadonlySet<string> = new Set(['alias', 'query_location', 'table']);

function isBytesType(type: JsonObject): boolean {
  const children = list(object(type['type_info'])['child_types']);
  return (
    text(type['id']) === 'STRUCT' &&
    children.length === VARIANT_BYTES.length &&
    children.every((child, i) => text(object(child)['first']) === VARIANT_BYTES[i])
  );
}
