import { describe, expect, test } from 'vitest';

import { canonicalRows } from './canonical.ts';
import { expectedTables, loadFixture } from './fixtures.ts';
import { expectedFieldText, expectedInspections, fieldText } from './inspect.ts';
import type { ExpectedInspection } from './inspect.ts';
import { once } from './once.ts';

// Every metadata table of every fixture, as Spark shows it: the columns with their ids and types, and all rows.

describe.for(expectedTables().map((expected) => [expected.table, expected] as const))('%s', ([fixture, expected]) => {
  const load = once(() => loadFixture(expected));

  test.for(expectedInspections(fixture).map((one) => [nameOf(one), one] as const))('%s', async ([, inspection]) => {
    const { table: name, at, lines, schema } = inspection;
    const table = await load();
    const inspected = table.metadataTable(
      name,
      at === null ? {} : 'ref' in at ? at : { snapshotId: BigInt(at.snapshotId) },
    );
    if (schema)
      expect(inspected.schema.fields.map((field) => fieldText(field))).toEqual(
        schema.fields.map((field) => expectedFieldText(field)),
      );
    expect(canonicalRows(inspected.schema, await inspected.toRows())).toEqual(lines);
  });
});

function nameOf({ table, at }: ExpectedInspection): string {
  return at === null ? table : `${table} at ${'ref' in at ? at.ref : at.snapshotId}`;
}
