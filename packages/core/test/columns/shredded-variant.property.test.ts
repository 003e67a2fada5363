import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { columnBuilder } from '../../src/columns/builder.ts';
import { castLeaf } from '../../src/columns/cast-leaf.ts';
import type { CastContext } from '../../src/columns/cast-leaf.ts';
import { columnReader } from '../../src/columns/column-reader.ts';
import type { Column } from '../../src/columns/column.ts';
import type { SourceField, SourceType } from '../../src/columns/source-type.ts';
import type { IcebergType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { Variant } from '../../src/spec/variant.ts';
import { encodeNode, encodeVariantMetadata } from '../../src/spec/variant-encode.ts';
import type { VariantNode } from '../../src/spec/variant-node.ts';
import { variantNode } from '../spec/arbitraries.ts';

/** How a value, or a part of it, is shredded. Objects name the fields that get columns of their own. */
type Shredding =
  | { readonly kind: 'none' }
  | { readonly kind: 'scalar'; readonly type: keyof typeof SCALARS }
  | { readonly kind: 'array'; readonly items: Shredding }
  | { readonly kind: 'object'; readonly fields: Readonly<Record<string, Shredding>> };

interface Scalar {
  readonly source: SourceType;
  readonly type: IcebergType;
  /** The value of a node of this type; undefined for other nodes. */
  readonly value: (node: VariantNode) => Value | undefined;
}

const plain =
  (type: VariantNode['type']) =>
  (node: VariantNode): Value | undefined =>
    node.type === type ? (node as { value: Value }).value : undefined;
const decimal = (type: 'decimal4' | 'decimal16', precision: number, scale: number): Scalar => ({
  source: { kind: 'decimal', precision, scale },
  type: { kind: 'decimal', precision, scale },
  value: (node) => (node.type === type && node.scale === scale ? node.unscaled : undefined),
});
const timestamp = (type: 'timestamp' | 'timestamptz' | 'timestamp_ns' | 'timestamptz_ns'): Scalar => ({
  source: { kind: 'timestamp', unit: type.endsWith('_ns') ? 'ns' : 'us', zoned: type.startsWith('timestamptz') },
  type: { kind: 'long' },
  value: plain(type),
});

/** Parquet's table "Shredded Value Types". */
const SCALARS = {
  boolean: { source: { kind: 'bool' }, type: { kind: 'boolean' }, value: plain('boolean') },
  int32: { source: { kind: 'int', bits: 32, signed: true }, type: { kind: 'int' }, value: plain('int32') },
  int64: { source: { kind: 'int', bits: 64, signed: true }, type: { kind: 'long' }, value: plain('int64') },
  float: { source: { kind: 'float', bits: 32 }, type: { kind: 'float' }, value: plain('float') },
  double: { source: { kind: 'float', bits: 64 }, type: { kind: 'double' }, value: plain('double') },
  decimal4: decimal('decimal4', 9, 2),
  decimal16: decimal('decimal16', 38, 2),
  date: { source: { kind: 'date', unit: 'day' }, type: { kind: 'date' }, value: plain('date') },
  time: { source: { kind: 'time', unit: 'us' }, type: { kind: 'time' }, value: plain('time') },
  timestamp: timestamp('timestamp'),
  timestamptz: timestamp('timestamptz'),
  timestamp_ns: timestamp('timestamp_ns'),
  timestamptz_ns: timestamp('timestamptz_ns'),
  string: { source: { kind: 'utf8' }, type: { kind: 'string' }, value: plain('string') },
  binary: { source: { kind: 'binary' }, type: { kind: 'binary' }, value: plain('binary') },
  uuid: { source: { kind: 'fixed', width: 16 }, type: { kind: 'uuid' }, value: plain('uuid') },
} as const satisfies Readonly<Record<string, Scalar>>;

const BINARY: IcebergType = { kind: 'binary' };
const field = (name: string, type: SourceType): SourceField => ({ name, nullable: true, id: null, type });
const column = (type: IcebergType, values: readonly Value[]): Column => {
  const builder = columnBuilder(type);
  for (const value of values) builder.append(value);
  return builder.finish();
};
const bitmap = (valid: readonly boolean[]): Uint8Array => {
  const bits = new Uint8Array((valid.length + 7) >> 3);
  valid.forEach((isSet, i) => (bits[i >> 3]! |= Number(isSet) << (i & 7)));
  return bits;
};

interface Shredded {
  readonly source: SourceField[];
  readonly columns: Column[];
}

/** Shreds nodes, of which undefined stands for a missing one, as the specification tells writers to. */
function shred(
  nodes: readonly (VariantNode | undefined)[],
  how: Shredding,
  ids: ReadonlyMap<string, number>,
): Shredded {
  const typed = typedValue(nodes, how, ids);
  const rest = typed ? nodes.map((node, i) => typed.rest[i] ?? (typed.isTyped[i] ? undefined : node)) : nodes;
  const value = column(
    BINARY,
    rest.map((node) => (node === undefined ? null : encodeNode(node, ids))),
  );
  const source = [field('value', { kind: 'binary' })];
  if (typed === null) return { source, columns: [value] };
  return { source: [...source, field('typed_value', typed.source)], columns: [value, typed.column] };
}

interface Typed {
  readonly source: SourceType;
  readonly column: Column;
  readonly isTyped: readonly boolean[];
  /** What of an object has no column. */
  readonly rest: readonly (VariantNode | undefined)[];
}

function typedValue(
  nodes: readonly (VariantNode | undefined)[],
  how: Shredding,
  ids: ReadonlyMap<string, number>,
): Typed | null {
  switch (how.kind) {
    case 'none':
      return null;
    case 'scalar': {
      const { source, type, value }: Scalar = SCALARS[how.type];
      const values = nodes.map((node) => (node ? value(node) : undefined));
      const isTyped = values.map((one) => one !== undefined);
      return {
        source,
        column: column(
          type,
          values.map((one) => one ?? null),
        ),
        isTyped,
        rest: [],
      };
    }
    case 'array': {
      const arrays = nodes.map((node) => (node?.type === 'array' ? node.items : undefined));
      const offsets = new Int32Array(nodes.length + 1);
      arrays.forEach((items, i) => (offsets[i + 1] = offsets[i]! + (items?.length ?? 0)));
      const items = group(
        shred(
          arrays.flatMap((one) => one ?? []),
          how.items,
          ids,
        ),
        offsets.at(-1)!,
      );
      const isTyped = arrays.map((one) => one !== undefined);
      return {
        source: { kind: 'list', item: field('element', items.source) },
        column: { layout: 'list', length: nodes.length, validity: bitmap(isTyped), offsets, items: items.column },
        isTyped,
        rest: [],
      };
    }
    case 'object': {
      const objects = nodes.map((node) => (node?.type === 'object' ? node.fields : undefined));
      const isTyped = objects.map((one) => one !== undefined);
      const parts = Object.entries(how.fields).map(([name, part]) => {
        const shredded = group(
          shred(
            objects.map((one) => one?.get(name)),
            part,
            ids,
          ),
          nodes.length,
        );
        return { field: field(name, shredded.source), column: shredded.column };
      });
      const rest = objects.map((one): VariantNode | undefined => {
        const fields = new Map([...(one ?? [])].filter(([name]) => !Object.hasOwn(how.fields, name)));
        return fields.size === 0 ? undefined : { type: 'object', fields };
      });
      return {
        source: { kind: 'struct', fields: parts.map((part) => part.field) },
        column: {
          layout: 'struct',
          length: nodes.length,
          validity: bitmap(isTyped),
          children: parts.map((part) => part.column),
        },
        isTyped,
        rest,
      };
    }
  }
}

const group = ({ source, columns }: Shredded, length: number): { source: SourceType; column: Column } => ({
  source: { kind: 'struct', fields: source },
  column: { layout: 'struct', length, validity: null, children: columns },
});

const names = fc.constantFrom('a', 'b', 'é');
const shredding: fc.Arbitrary<Shredding> = fc.letrec<{ one: Shredding }>((tie) => ({
  one: fc.oneof(
    { maxDepth: 3 },
    fc.constant<Shredding>({ kind: 'none' }),
    fc
      .constantFrom(...(Object.keys(SCALARS) as (keyof typeof SCALARS)[]))
      .map((type): Shredding => ({ kind: 'scalar', type })),
    tie('one').map((items): Shredding => ({ kind: 'array', items })),
    fc.dictionary(names, tie('one'), { minKeys: 1 }).map((fields): Shredding => ({ kind: 'object', fields })),
  ),
})).one;

function namesOf(node: VariantNode, found: Set<string> = new Set()): Set<string> {
  if (node.type === 'array') for (const item of node.items) namesOf(item, found);
  if (node.type === 'object') {
    for (const [name, part] of node.fields) {
      found.add(name);
      namesOf(part, found);
    }
  }
  return found;
}

const CONTEXT: CastContext = {
  mode: 'file',
  fail: (row, problem) => {
    throw new Error(`row ${row} ${problem}`);
  },
};

function assembled(
  rows: readonly (VariantNode | null)[],
  how: Shredding,
  known: (name: string) => boolean = () => true,
): Column {
  const found = new Set<string>();
  for (const row of rows) if (row) namesOf(row, found);
  // A writer may forget the names of shredded fields.
  const dictionary = [...found].filter(known);
  const ids = new Map(dictionary.map((name, id) => [name, id]));
  const metadata = encodeVariantMetadata(dictionary);
  const { source, columns } = shred(
    rows.map((row) => row ?? undefined),
    how,
    ids,
  );
  const variant: Column = {
    layout: 'struct',
    length: rows.length,
    validity: bitmap(rows.map((row) => row !== null)),
    children: [
      ...columns,
      column(
        BINARY,
        rows.map(() => metadata),
      ),
    ],
  };
  return castLeaf(
    { kind: 'struct', fields: [...source, field('metadata', { kind: 'binary' })] },
    variant,
    { kind: 'variant' },
    CONTEXT,
  );
}

function nodesOf(variants: Column): (VariantNode | null)[] {
  const valueAt = columnReader({ kind: 'variant' }, variants);
  return Array.from({ length: variants.length }, (_, row) => (valueAt(row) as Variant | null)?.toNode() ?? null);
}

test('whatever is shredded comes back with its types', () => {
  const rows = fc.array(fc.option(variantNode(names)), { maxLength: 8 });
  fc.assert(
    fc.property(rows, shredding, (nodes, how) => {
      expect(nodesOf(assembled(nodes, how))).toEqual(nodes);
    }),
    { numRuns: 300 },
  );
});

test('names that the dictionary lacks are added to it', () => {
  const node: VariantNode = {
    type: 'object',
    fields: new Map([
      ['a', { type: 'int32', value: 1 }],
      ['z', { type: 'null' }],
    ]),
  };
  const how: Shredding = { kind: 'object', fields: { a: { kind: 'scalar', type: 'int32' } } };
  expect(nodesOf(assembled([node, node], how, (name) => name !== 'a'))).toEqual([node, node]);
});

test('parts that contradict each other are found', () => {
  const [value, typed] = [Variant.from('a'), column({ kind: 'int' }, [5])];
  const children = [column(BINARY, [value.metadata]), column(BINARY, [value.value]), typed];
  const int: SourceType = { kind: 'int', bits: 32, signed: true };
  const source = (type: SourceType): SourceType => ({
    kind: 'struct',
    fields: [field('metadata', { kind: 'binary' }), field('value', { kind: 'binary' }), field('typed_value', type)],
  });
  const cast = (type: SourceType, part: Column) => () =>
    castLeaf(
      source(type),
      { layout: 'struct', length: 1, validity: null, children: [children[0]!, children[1]!, part] },
      { kind: 'variant' },
      CONTEXT,
    );
  expect(cast(int, typed)).toThrow(/row 0 holds a broken variant: .*both/);
  const object: Column = { layout: 'struct', length: 1, validity: null, children: [] };
  expect(cast({ kind: 'struct', fields: [] }, object)).toThrow(/row 0 holds a broken variant: .*object/);
  expect(cast({ kind: 'int', bits: 32, signed: false }, typed)).toThrow(/uint32/);
});

test('a value that is missing is a null of its own; metadata that is missing is broken', () => {
  const { metadata, value } = Variant.from(7);
  const cast = (metadatas: readonly Value[], values: readonly Value[]): Column =>
    castLeaf(
      { kind: 'struct', fields: [field('value', { kind: 'binary' }), field('metadata', { kind: 'binary' })] },
      {
        layout: 'struct',
        length: 3,
        // The last row is null.
        validity: Uint8Array.of(0b011),
        children: [column(BINARY, values), column(BINARY, metadatas)],
      },
      { kind: 'variant' },
      CONTEXT,
    );
  const seven: VariantNode = { type: 'int8', value: 7 };
  expect(nodesOf(cast([metadata, metadata, null], [value, null, null]))).toEqual([seven, { type: 'null' }, null]);
  expect(nodesOf(cast([metadata, metadata, null], [value, value, null]))).toEqual([seven, seven, null]);
  expect(() => cast([metadata, null, null], [value, value, null])).toThrow(/row 1 holds a broken variant/);
});
