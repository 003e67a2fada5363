import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import type { IcebergType, MetadataTableName, NestedField } from '@lh/core';
import { typeToText } from '@lh/core/engine';

import { fixturesFolder } from './fixtures.ts';

/** What Spark says of one metadata table; `fixtures/inspect/README.md` explains it. */
export interface ExpectedInspection {
  readonly table: MetadataTableName;
  readonly at: { readonly snapshotId: string } | { readonly ref: string } | null;
  readonly readBy: 'spark' | 'iceberg';
  readonly schema?: { readonly fields: readonly FieldJson[] };
  readonly lines: readonly string[];
}

/** Every metadata table of a fixture, of the current snapshot and of some others. */
export function expectedInspections(fixture: string): readonly ExpectedInspection[] {
  const file = join(fixturesFolder, 'inspect', `${fixture}.jsonl.gz`);
  if (!existsSync(file)) return [];
  const lines = gunzipSync(readFileSync(file)).toString('utf8').split('\n');
  const found: ExpectedInspection[] = [];
  for (let at = 0; at < lines.length - 1;) {
    const { rows, ...head } = JSON.parse(lines[at]!) as Omit<ExpectedInspection, 'lines'> & { readonly rows: number };
    found.push({ ...head, lines: lines.slice(at + 1, at + 1 + rows) });
    at += 1 + rows;
  }
  return found;
}

/** A schema's field as Iceberg's JSON has it. */
interface FieldJson {
  readonly id: number;
  readonly name: string;
  readonly required: boolean;
  readonly type: TypeJson;
}

type TypeJson =
  | string
  | { readonly type: 'struct'; readonly fields: readonly FieldJson[] }
  | { readonly type: 'list'; readonly 'element-id': number; readonly element: TypeJson }
  | {
      readonly type: 'map';
      readonly 'key-id': number;
      readonly key: TypeJson;
      readonly 'value-id': number;
      readonly value: TypeJson;
    };

/** Ids below it come from the order of a hash table in Iceberg Java; nothing is stored by them. */
const METRICS = 'readable_metrics';

/** A field as text: `104 file_size_in_bytes: long not null`. */
export function fieldText(field: NestedField, withId: boolean = field.name !== METRICS): string {
  return fieldLine(field, withId, typeText(field.type, withId));
}

export function expectedFieldText(field: FieldJson, withId: boolean = field.name !== METRICS): string {
  return fieldLine(field, withId, jsonText(field.type, withId));
}

function fieldLine({ id, name, required }: NestedField | FieldJson, withId: boolean, type: string): string {
  return `${withId ? `${id} ` : ''}${name}: ${type}${required ? ' not null' : ''}`;
}

function typeText(type: IcebergType, withIds: boolean): string {
  switch (type.kind) {
    case 'struct':
      return `struct<${type.fields.map((field) => fieldText(field, withIds)).join(', ')}>`;
    case 'list':
      return `list<${type.elementId} ${typeText(type.element, withIds)}>`;
    case 'map':
      return `map<${type.keyId} ${typeText(type.key, withIds)}, ${type.valueId} ${typeText(type.value, withIds)}>`;
    default:
      return typeToText(type);
  }
}

function jsonText(type: TypeJson, withIds: boolean): string {
  if (typeof type === 'string') return type;
  switch (type.type) {
    case 'struct':
      return `struct<${type.fields.map((field) => expectedFieldText(field, withIds)).join(', ')}>`;
    case 'list':
      return `list<${type['element-id']} ${jsonText(type.element, withIds)}>`;
    case 'map':
      return `map<${type['key-id']} ${jsonText(type.key, withIds)}, ${type['value-id']} ${jsonText(type.value, withIds)}>`;
  }
}
