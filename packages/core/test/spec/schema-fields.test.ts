import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allFields, assignIds, freshIds } from '../../src/spec/assign-ids.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { fieldPath, findField, findFieldByName, highestFieldId, indexById } from '../../src/spec/schema-fields.ts';
import { schemaFromJson, schemaToJson } from '../../src/spec/schema-json.ts';
import { schema as anySchema } from './arbitraries.ts';

const shape = schema({
  id: t.long().required(),
  s: t.struct({ a: t.int().required(), B: t.string() }).required(),
  tags: t.list(t.string().required()).required(),
  points: t.list(t.struct({ x: t.double().required() })),
  props: t.map(t.string(), t.struct({ y: t.int() })),
  'a.b': t.int(),
});

const entry = (name: string): unknown => {
  const id = findFieldByName(shape, name)?.field.id ?? 0;
  const { nullable, parentId } = indexById(shape).get(id) ?? {};
  return [nullable, parentId];
};

describe('lookups', () => {
  it('find every field by id, path and name', () => {
    fc.assert(
      fc.property(anySchema, (given) => {
        const index = indexById(given);
        expect(index.size).toBe(allFields(given).length);
        for (const [id, { field, path }] of index) {
          expect(findField(given, id)).toBe(field);
          expect(fieldPath(given, id)).toBe(path);
          expect(findFieldByName(given, path.join('.'))?.path.join('.')).toBe(path.join('.'));
        }
        expect(highestFieldId(given)).toBe(Math.max(...index.keys()));
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['s.a', ['s', 'a']],
    ['tags.element', ['tags', 'element']],
    ['points.element.x', ['points', 'element', 'x']],
    ['points.x', ['points', 'element', 'x']],
    ['props.key', ['props', 'key']],
    ['props.value.y', ['props', 'value', 'y']],
    ['props.y', ['props', 'value', 'y']],
    ['a.b', ['a.b']],
  ])('find %s', (name, path) => {
    expect(findFieldByName(shape, name)?.path).toEqual(path);
  });

  it('ignore case on request and refuse to guess then', () => {
    expect(findFieldByName(shape, 'S.b')).toBeUndefined();
    expect(findFieldByName(shape, 'S.b', false)?.path).toEqual(['s', 'B']);
    const twins = schema({ x: t.int(), X: t.int() });
    expect(findFieldByName(twins, 'X', false)?.path).toEqual(['X']);
    expect(() => findFieldByName(schema({ ab: t.int(), AB: t.int() }), 'Ab', false)).toThrow(/Several columns/);
    expect(findFieldByName(shape, 'none')).toBeUndefined();
    expect(findFieldByName(shape, 'constructor')).toBeUndefined();
  });

  it('know where a null is possible, and the parent', () => {
    expect(entry('id')).toEqual([false, null]);
    expect(entry('s.a')).toEqual([false, 2]);
    expect(entry('s.B')).toEqual([true, 2]);
    expect(entry('tags')).toEqual([false, null]);
    expect(entry('tags.element')).toEqual([true, 3]);
    expect(entry('points.x')?.toString()).toMatch(/^true/);
  });
});

describe('ids', () => {
  it('are given breadth first and keep the rest', () => {
    fc.assert(
      fc.property(anySchema, fc.integer({ min: 1, max: 1000 }), (given, first) => {
        const ids = freshIds(first);
        const renumbered = assignIds(given, ids.newId);
        expect(renumbered.fields.map((field) => field.id)).toEqual(given.fields.map((_, i) => first + i));
        expect(new Set(allFields(renumbered).map((field) => field.id)).size).toBe(allFields(given).length);
        expect(ids.last()).toBe(highestFieldId(renumbered));
        expect(allFields(renumbered).map((field) => field.name)).toEqual(allFields(given).map((field) => field.name));
      }),
      { numRuns: 50 },
    );
  });
});

describe('schema JSON', () => {
  it('gives back every schema', () => {
    fc.assert(
      fc.property(anySchema, (given) => {
        expect(schemaFromJson(schemaToJson(given))).toEqual(given);
      }),
      { numRuns: 100 },
    );
  });

  it('refuses identifier fields that are not there', () => {
    expect(() => schemaFromJson({ ...schemaToJson(shape), 'identifier-field-ids': [99] })).toThrow(
      /identifier field 99/,
    );
  });
});
