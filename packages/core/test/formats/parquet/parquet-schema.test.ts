import { describe, expect, test } from 'vitest';
import { parquetName } from '../../../src/formats/parquet/parquet-names.ts';
import { ELEMENT, parquetTree, shapeOf } from '../../../src/formats/parquet/parquet-schema.ts';
import { i32, structField, text } from '../../../src/formats/parquet/thrift.ts';
import type { ThriftStruct } from '../../../src/formats/parquet/thrift.ts';

const REPETITIONS = { required: 0, optional: 1, repeated: 2 } as const;
const LIST = 3;
const MAP = 1;

interface Group {
  readonly name: string;
  readonly repetition?: keyof typeof REPETITIONS;
  readonly converted?: number;
  readonly children?: readonly Group[];
}

const INT32 = 1;

function elements({ name, repetition = 'optional', converted, children }: Group): ThriftStruct[] {
  const element = [
    ...(children ? [] : [i32(ELEMENT.type, INT32)]),
    i32(ELEMENT.repetition, REPETITIONS[repetition]),
    text(ELEMENT.name, name),
    ...(children ? [i32(ELEMENT.numChildren, children.length)] : []),
    ...(converted === undefined ? [] : [i32(ELEMENT.convertedType, converted)]),
  ];
  return [element, ...(children ?? []).flatMap(elements)];
}

function shape(column: Group): unknown {
  const { root } = parquetTree(elements({ name: 'root', repetition: 'required', children: [column] }));
  const found = shapeOf(root.children[0]!);
  if (found.kind === 'list') return ['list', found.element.name];
  return found.kind === 'map' ? ['map', found.key.name, found.value.name] : [found.kind];
}

// The cases of parquet-format's LogicalTypes.md.
describe('lists', () => {
  const list = (repeated: Group): Group => ({
    name: 'my_list',
    converted: LIST,
    children: [{ ...repeated, repetition: 'repeated' }],
  });

  test.each<[string, Group, string]>([
    ['of three levels', { name: 'list', children: [{ name: 'element' }] }, 'element'],
    ['of three levels, under another name', { name: 'bag', children: [{ name: 'array_element' }] }, 'array_element'],
    ['of a repeated primitive', { name: 'element' }, 'element'],
    [
      'of a repeated group of several fields',
      { name: 'element', children: [{ name: 'str' }, { name: 'num' }] },
      'element',
    ],
    ['of a repeated group called array', { name: 'array', children: [{ name: 'str' }] }, 'array'],
    [
      'of a repeated group called after the list',
      { name: 'my_list_tuple', children: [{ name: 'str' }] },
      'my_list_tuple',
    ],
  ])('%s', (_, repeated, element) => {
    expect(shape(list(repeated))).toEqual(['list', element]);
  });
});

test('maps, and structs', () => {
  const entries: Group = { name: 'map', repetition: 'repeated', children: [{ name: 'k' }, { name: 'v' }] };
  expect(shape({ name: 'm', converted: MAP, children: [entries] })).toEqual(['map', 'k', 'v']);
  expect(shape({ name: 's', children: [{ name: 'k' }] })).toEqual(['struct']);
  expect(shape({ name: 'i' })).toEqual(['leaf']);
});

test('a list of elements that is no tree is refused', () => {
  const [root, ...rest] = elements({ name: 'root', children: [{ name: 'a' }, { name: 'b' }] });
  expect(() => parquetTree([root!, rest[0]!])).toThrow(/don't form a tree/);
  expect(() => parquetTree([root!, ...rest, rest[0]!])).toThrow(/don't form a tree/);
  expect(() => parquetTree([])).toThrow(/don't form a tree/);
});

test('an annotation that is not known is kept as such', () => {
  const element = [
    i32(ELEMENT.type, INT32),
    text(ELEMENT.name, 'x'),
    structField(ELEMENT.logicalType, [structField(99, [])]),
  ];
  const { leaves } = parquetTree([...elements({ name: 'root', children: [{ name: 'x' }] }).slice(0, 1), element]);
  expect(leaves[0]!.logical).toEqual({ kind: 'other' });
});

// As Iceberg Java's TestAvroNameMapping and TestSchemaConversions spell them.
test.each([
  ['a.b', 'a_x2Eb'],
  ['9x', '_9x'],
  ['x_', 'x_'],
  ['a#b', 'a_x23b'],
  ['😎', '_xD83D_xDE0E'],
  ['straße', 'straße'],
])('the column %s is called %s', (name, expected) => {
  expect(parquetName(name)).toBe(expected);
});
