import { Table, reportToJson } from '@lh/core';
import type { ScanReport } from '@lh/core';
import { describe, expect, test } from 'vitest';

import { FIXTURE_ROOT, expectedTables, fixtureIO } from './fixtures.ts';
import { planScan } from './plans.ts';

// Scan reports, as JSON, say what Iceberg Java says: the filter in its own JSON, and the files that it finds.

describe.for(expectedTables().map((expected) => [expected.table, expected] as const))('%s', ([, expected]) => {
  test('reports', async () => {
    const reports: ScanReport[] = [];
    const table = await Table.load(expected.metadata.replace(/^warehouse\//, FIXTURE_ROOT), {
      io: fixtureIO(),
      reporter: (report) => reports.push(report as ScanReport),
    });
    for (const plan of expected.plans) {
      const { tasks, metrics } = await planScan(table, plan).plan();
      const json = JSON.parse(reportToJson(reports.pop()!)) as Record<string, unknown>;
      // A filter's text goes out as it came in, and a Z is another way to say +00:00.
      expect(JSON.parse(JSON.stringify(json['filter']).replaceAll(/(\d)Z"/g, '$1+00:00"'))).toEqual(plan.iceberg);
      const deletes = tasks.flatMap((task) => task.deletes);
      expect(json['metrics']).toMatchObject({
        'result-data-files': { unit: 'count', value: tasks.length },
        'result-delete-files': { unit: 'count', value: deletes.length },
        'skipped-data-files': {
          unit: 'count',
          value: metrics.filesSkippedBy.partition + metrics.filesSkippedBy.metrics,
        },
      });
    }
    expect(reports).toEqual([]);
  });
});
