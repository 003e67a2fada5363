// Scans and commits as Prometheus' metrics, for dashboards and alerts. prom-client is what Node services keep them in;
// the packages don't depend on it.
import { MemoryCatalog, MemoryFileIO, partitionBy, schema, t } from '@lh/core';
import type { Metric, MetricsReport } from '@lh/core';
import { Counter, Histogram, Registry } from 'prom-client';

const registry = new Registry();
const of = { registers: [registry], labelNames: ['table'] };
const counters = {
  'result-data-files': new Counter({
    ...of,
    name: 'lakehouse_scanned_files_total',
    help: 'Data files that scans read',
  }),
  'skipped-data-manifests': new Counter({ ...of, name: 'lakehouse_skipped_manifests_total', help: 'Left unread' }),
  'added-records': new Counter({ ...of, name: 'lakehouse_added_rows_total', help: 'Rows that commits added' }),
  attempts: new Counter({ ...of, name: 'lakehouse_commit_attempts_total', help: 'Commits, lost races included' }),
};
const seconds = {
  'total-planning-duration': new Histogram({ ...of, name: 'lakehouse_planning_seconds', help: 'Planning of a scan' }),
  'total-duration': new Histogram({ ...of, name: 'lakehouse_commit_seconds', help: 'A commit, writing included' }),
};

function report({ tableName, metrics }: MetricsReport): void {
  const labels = { table: tableName };
  const found: Readonly<Record<string, Metric | undefined>> = metrics;
  for (const [name, counter] of Object.entries(counters)) {
    const metric = found[name];
    if (metric && 'value' in metric) counter.inc(labels, metric.value);
  }
  for (const [name, histogram] of Object.entries(seconds)) {
    const metric = found[name];
    if (metric && 'count' in metric) histogram.observe(labels, metric['total-duration'] / 1e9);
  }
}

const catalog = new MemoryCatalog({ io: new MemoryFileIO(), reporter: report });
await catalog.createNamespace('shop');
const sales = await catalog.createTable('shop.sales', {
  schema: schema({ city: t.string(), amount: t.decimal(10, 2) }),
  partitionBy: [partitionBy.identity('city')],
});
for (const city of ['Seoul', 'Busan', 'Jeju']) await sales.append([{ city, amount: '1.00' }]);
await sales.scan({ filter: "city >= 'J'" }).toRows();

const text = await registry.metrics();
console.log(
  text
    .split('\n')
    .filter((line) => /^lakehouse_\w+(?:total|count)\{/.test(line))
    .join('\n'),
);
