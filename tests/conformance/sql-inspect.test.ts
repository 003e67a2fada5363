import { MemoryCatalog, MemoryFileIO } from '@lh/core';
import type { MetadataTableName } from '@lh/core';
import { openMetadataTable } from '@lh/core/engine';
import { Lakehouse } from '@lh/sql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { canonicalRows } from './canonical.ts';
import { expectedTables, loadFixture } from './fixtures.ts';
import { expectedInspections } from './inspect.ts';

// Every metadata table of every fixture, as Spark shows it, by SQL. That each is right at every snapshot is tested for
// core; of other snapshots than the current one, SQL only has to name the right one.

let lake: Lakehouse;
beforeAll(async () => {
  lake = await Lakehouse.open({ catalog: new MemoryCatalog({ io: new MemoryFileIO() }) });
});
afterAll(() => lake?.close());

describe.for(expectedTables().map((expected) => [expected.table, expected] as const))('%s', ([fixture, expected]) => {
  test('metadata tables', async () => {
    const table = await loadFixture(expected);
    lake.register('t', table);
    const inspections = expectedInspections(fixture);
    const others = inspections.filter(({ table: name, at }) => at !== null && name === 'entries');
    for (const { table: name, at, lines } of [...inspections.filter((one) => one.at === null), ...others.slice(0, 2)]) {
      const target = at === null ? {} : 'ref' in at ? at : { snapshotId: BigInt(at.snapshotId) };
      const { schema } = openMetadataTable(table, name as MetadataTableName, target);
      const version = at === null ? '' : ` AT (VERSION => ${'ref' in at ? `'${at.ref}'` : at.snapshotId})`;
      const result = await lake.sql(`SELECT * FROM t.${name}${version}`);
      expect(canonicalRows(schema, await result.rows()), `${name}${version}`).toEqual(lines);
    }
  });
});
