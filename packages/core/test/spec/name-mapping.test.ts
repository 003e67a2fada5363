import { describe, expect, it } from 'vitest';
import {
  applyNameMapping,
  mappedFieldId,
  nameMappingOf,
  nameMappingToJson,
  parseNameMapping,
  updateNameMapping,
} from '../../src/spec/name-mapping.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';

const SPEC = `[ { "field-id": 1, "names": ["id", "record_id"] }, { "field-id": 2, "names": ["data"] },
  { "field-id": 3, "names": ["location"], "fields": [
    { "field-id": 4, "names": ["latitude", "lat"] }, { "field-id": 5, "names": ["longitude", "long"] } ] }, { "names": ["ignored"] } ]`;

const shape = schema({ id: t.long(), tags: t.list(t.struct({ x: t.int() })), props: t.map(t.string(), t.int()) });

describe('name mapping', () => {
  it('is read and written as in the spec', () => {
    const mapping = parseNameMapping(SPEC);
    expect(JSON.parse(nameMappingToJson(mapping))).toEqual(JSON.parse(SPEC));
    expect(mappedFieldId(mapping, ['record_id'])).toBe(1);
    expect(mappedFieldId(mapping, ['location', 'lat'])).toBe(4);
    expect(mappedFieldId(mapping, ['ignored'])).toBeNull();
    expect(mappedFieldId(mapping, ['lat'])).toBeNull();
  });

  it('keeps fields that it does not know', () => {
    const text = '[{"field-id":1,"names":["a"],"x-new":1}]';
    expect(nameMappingToJson(parseNameMapping(text))).toBe(text);
  });

  it('of a schema leads back to its ids', () => {
    const mapping = nameMappingOf(shape);
    expect(mappedFieldId(mapping, ['tags', 'element', 'x'])).toBe(5);
    expect(mappedFieldId(mapping, ['props', 'value'])).toBe(7);
    const file = schema({
      props: t.map(t.string(), t.int()),
      other: t.int(),
      tags: t.list(t.struct({ y: t.int(), x: t.int() })),
      id: t.long(),
    });
    expect(applyNameMapping(mapping, file)).toMatchObject({
      fields: [
        { id: 3, type: { keyId: 6, valueId: 7 } },
        { id: 2, type: { elementId: 4, element: { fields: [{ id: 5, name: 'x' }] } } },
        { id: 1 },
      ],
    });
  });

  it('leaves out lists and maps whose parts it lacks', () => {
    const mapping = parseNameMapping(
      '[{"field-id": 2, "names": ["tags"]}, {"field-id": 3, "names": ["props"], "fields": [{"field-id": 5, "names": ["key"]}]}]',
    );
    expect(applyNameMapping(mapping, shape).fields).toEqual([]);
  });

  it('follows renames, additions and names that are taken over', () => {
    const before = schema({ a: t.int(), s: t.struct({ x: t.int() }), left_out: t.int() });
    const mapping = nameMappingOf(before).slice(0, 2);
    const [a, s, leftOut] = before.fields as [
      (typeof before.fields)[0],
      (typeof before.fields)[0],
      (typeof before.fields)[0],
    ];
    const struct = { kind: 'struct', fields: [{ id: 4, name: 'y', required: false, type: { kind: 'int' } }] } as const;
    const after = {
      ...before,
      fields: [
        { ...a, name: 'b' },
        { ...s, type: struct },
        leftOut,
        { id: 9, name: 'a', required: false, type: { kind: 'int' } as const },
      ],
    };
    expect(JSON.parse(nameMappingToJson(updateNameMapping(mapping, before, after)))).toEqual([
      { 'field-id': 1, names: ['b'] },
      { 'field-id': 2, names: ['s'], fields: [{ 'field-id': 4, names: ['x', 'y'] }] },
      { 'field-id': 9, names: ['a'] },
    ]);
  });

  it.each([
    '{}',
    '[1]',
    '[{"names": "a"}]',
    '[{"field-id": "1", "names": []}]',
    '[{"names": ["a", "a"]}]',
    '[{"field-id": 1}]',
    'x',
  ])('refuses %s', (text) => {
    expect(() => parseNameMapping(text)).toThrow(
      expect.objectContaining({
        code: 'INVALID_DATA',
        message: expect.stringContaining('schema.name-mapping.default'),
      }),
    );
  });
});
