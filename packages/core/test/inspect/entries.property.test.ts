import fc from 'fast-check';
import { expect, test } from 'vitest';

import { runs } from '../../../../tests/support/runs.ts';
import { openMetadataTable } from '../../src/inspect/open-metadata-table.ts';
import { readManifest } from '../../src/manifest/read-manifest.ts';
import type { ManifestEntry } from '../../src/spec/manifest.ts';
import { selectFields } from '../../src/spec/select-fields.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import type { Value } from '../../src/spec/values.ts';
import { ALL_SCHEMA, ALL_SPEC } from '../manifest/arbitraries.ts';
import { filtersOf, inspect, manifestInputs, matches, selectableIds, tableOf, valueAt } from './support.ts';
import type { WrittenTable } from './support.ts';

const VERSIONS: readonly FormatVersion[] = [1, 2, 3];
const STATUSES = ['existing', 'added', 'deleted'];
const CONTENTS = ['data', 'position-deletes', 'equality-deletes'];

async function readEntries({ table, manifests }: WrittenTable): Promise<ManifestEntry[]> {
  const entries: ManifestEntry[] = [];
  for (const manifest of manifests) {
    const options = { specs: [ALL_SPEC], schema: ALL_SCHEMA };
    for await (const batch of readManifest(table.io, manifest, options)) entries.push(...batch);
  }
  return entries;
}

const long = (value: number | null): Value => (value === null ? null : BigInt(value));
const longs = (map: ReadonlyMap<number, number> | null): Value => map && Array.from(map, ([id, n]) => [id, BigInt(n)]);

/** The `data_file` of an entry, up to `readable_metrics`. */
function fileValues({ file }: ManifestEntry): readonly Value[] {
  const { splitOffsets, fileSizeInBytes } = file;
  const known = splitOffsets !== null && splitOffsets.length > 0 && splitOffsets.at(-1)! < fileSizeInBytes;
  return [
    CONTENTS.indexOf(file.content),
    file.path,
    file.format.toUpperCase(),
    file.specId,
    file.partition,
    BigInt(file.recordCount),
    BigInt(fileSizeInBytes),
    longs(file.columnSizes),
    longs(file.valueCounts),
    longs(file.nullValueCounts),
    longs(file.nanValueCounts),
    file.lowerBounds && [...file.lowerBounds],
    file.upperBounds && [...file.upperBounds],
    file.keyMetadata,
    known ? splitOffsets.map(BigInt) : null,
    file.equalityIds,
    file.sortOrderId,
    file.firstRowId,
    file.referencedDataFile,
    long(file.contentOffset),
    long(file.contentSizeInBytes),
  ];
}

test.for(VERSIONS)('v%d: entries decoded as columns are those that plans are made of', async (version) => {
  await fc.assert(
    fc.asyncProperty(manifestInputs(version), async (inputs) => {
      const written = await tableOf(version, inputs);
      const entries = await readEntries(written);
      const withoutMetrics = (rows: readonly (readonly Value[])[]) => rows.map((row) => row.slice(0, -1));
      expect(withoutMetrics(await inspect(written.table, 'entries'))).toEqual(
        entries.map((entry) => [
          STATUSES.indexOf(entry.status),
          entry.snapshotId,
          entry.sequenceNumber,
          entry.fileSequenceNumber,
          fileValues(entry),
        ]),
      );
      const live = entries.filter(({ status }) => status !== 'deleted');
      expect(withoutMetrics(await inspect(written.table, 'files'))).toEqual(live.map(fileValues));
      const data = live.filter(({ file }) => file.content === 'data');
      expect(withoutMetrics(await inspect(written.table, 'data_files'))).toEqual(data.map(fileValues));
    }),
    { numRuns: runs(6) },
  );
});

test.for(VERSIONS)('v%d: a filter and a projection are as if applied to all of the rows', async (version) => {
  await fc.assert(
    fc.asyncProperty(manifestInputs(version), fc.infiniteStream(fc.nat()), async (inputs, seeds) => {
      const { table } = await tableOf(version, inputs);
      for (const name of ['files', 'entries', 'partitions'] as const) {
        const { schema } = openMetadataTable(table, name);
        const rows = await inspect(table, name);
        if (rows.length === 0) continue;
        const [seed, ...picks] = [...seeds.take(6)] as [number, ...number[]];
        for (const filter of fc.sample(filtersOf(schema, rows), { numRuns: 4, seed })) {
          const wanted = rows.filter((row) => matches(filter, schema, row));
          expect(await inspect(table, name, { filter })).toEqual(wanted);
          const reachable = selectableIds(schema);
          const ids = [...new Set(picks.map((pick) => reachable[pick % reachable.length]!))];
          const projection = selectFields(schema, new Set(ids));
          const projected = await inspect(table, name, { filter, projection });
          expect(projected.map((row) => ids.map((id) => valueAt(projection, row, id)))).toEqual(
            wanted.map((row) => ids.map((id) => valueAt(schema, row, id))),
          );
        }
      }
    }),
    { numRuns: runs(3) },
  );
});
