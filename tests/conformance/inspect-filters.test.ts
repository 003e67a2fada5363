import { expr } from '@lh/core';
import type { MetadataTableName, NestedField } from '@lh/core';
import { describe, expect, test } from 'vitest';

import { canonicalRows } from './canonical.ts';
import { expectedTables, loadFixture } from './fixtures.ts';

// A filter that is pushed down into a metadata table gives the rows that it would give if it were applied to all of them.
// Of files and entries a property test says so.

const TABLES: readonly MetadataTableName[] = [
  'manifests',
  'all_manifests',
  'position_deletes',
  'partitions',
  'snapshots',
];
/** How many values of a column are looked for. */
const LITERALS = 2;
/** A table of more rows has nothing to add to this. */
const MOST_ROWS = 1000;

describe.for(expectedTables().map((expected) => [expected.table, expected] as const))('%s', ([, expected]) => {
  test('filters', async () => {
    const table = await loadFixture(expected);
    for (const name of TABLES) {
      const all = table.metadataTable(name);
      const rows = await all.toRows();
      if (rows.length > MOST_ROWS) continue;
      for (const column of filterable(all.schema.fields)) {
        const literals = rows.map((row) => valueOf(row, column)).filter((value) => value !== null);
        for (const literal of [...new Set(literals)].slice(-LITERALS)) {
          const filter = expr.eq(column.join('.'), literal as string);
          const wanted = rows.filter((row) => valueOf(row, column) === literal);
          const found = await table.metadataTable(name, { filter }).toRows();
          expect(canonicalRows(all.schema, found), `${name}: ${column.join('.')} = ${String(literal)}`).toEqual(
            canonicalRows(all.schema, wanted),
          );
        }
      }
    }
  });
});

/** Paths of columns whose values are JavaScript's primitives. */
function filterable(fields: readonly NestedField[], path: readonly string[] = []): readonly (readonly string[])[] {
  return fields.flatMap(({ name, type }) => {
    if (type.kind === 'struct') return filterable(type.fields, [...path, name]);
    return COMPARED.has(type.kind) ? [[...path, name]] : [];
  });
}

const COMPARED: ReadonlySet<string> = new Set([
  'int',
  'long',
  'string',
  'boolean',
  'date',
  'timestamptz',
  'decimal',
  'uuid',
]);

function valueOf(row: Record<string, unknown>, [name, ...rest]: readonly string[]): unknown {
  const value = row[name!] ?? null;
  return rest.length === 0 || value === null ? value : valueOf(value as Record<string, unknown>, rest);
}
