import type { ScanReport } from '../query/scan-report.ts';
import { quoteString } from '../text/quote.ts';

/** What a query that explains itself gives: the scans of tables first, then DuckDB's plan. */
export function explainedQuery(
  plans: readonly (readonly [key: string, text: string])[],
  scans: readonly ScanReport[],
  statement: string,
): string {
  const cleaned = plans.map(([key, text]) => [key, cleanPlan(text, statement)] as const);
  const rows = scans.length === 0 ? cleaned : [['iceberg_scans', scansText(scans)] as const, ...cleaned];
  const values = rows.map((row) => `(${row.map(quoteString).join(', ')})`);
  return `SELECT * FROM (VALUES ${values.join(', ')}) AS explained(explain_key, explain_value)`;
}

/** What is read of each table, and why no more than that. */
export function scansText(scans: readonly ScanReport[]): string {
  return scans.map((scan) => `${tableText(scan)}\n`).join('\n');
}

function tableText(scan: ScanReport): string {
  const snapshot = scan.snapshotId === null ? 'no snapshot' : `snapshot ${scan.snapshotId}`;
  const lines: (readonly [label: string, text: string])[] = [
    ['files', `${scan.filesScanned} of ${scan.filesTotal} to scan${skippedText(scan)}`],
    ['manifests', `${scan.manifestsScanned} of ${scan.manifestsTotal} read`],
    [
      'data',
      `${bytesText(scan.bytesScanned)} of ${bytesText(scan.bytesScanned + scan.bytesSkipped)}, ${count(scan.rowsScanned, 'row')}`,
    ],
  ];
  if (scan.deleteFilesApplied > 0) lines.push(['deletes', `${count(scan.deleteFilesApplied, 'delete file')} applied`]);
  lines.push(['pruned by', scan.predicate ?? 'nothing: no filter reaches the table']);
  for (const { predicate, from, values } of scan.dynamic) {
    const source =
      from.length === 0 ? '' : ` (from ${from.join(', ')}${values === null ? '' : `, ${count(values, 'value')}`})`;
    lines.push(['and by', `${predicate}${source}`]);
  }
  for (const { predicate, reason } of scan.notPushed) lines.push(['not by', `${predicate}: ${reason}`]);
  if (scan.fromMetadata) lines.push(['answer', 'from the metadata, without reading files']);
  lines.push(['read by', accessText(scan)]);
  return [`${scan.table}, ${snapshot}`, ...lines.map(([label, text]) => `  ${label.padEnd(10)} ${text}`)].join('\n');
}

const SKIPPED: Readonly<Record<keyof ScanReport['filesSkippedBy'], string>> = {
  manifestSummary: 'by summaries of manifests',
  partition: 'by partition',
  metrics: 'by column metrics',
  dynamic: 'by values of other tables',
  limit: 'by LIMIT',
  answered: 'answered by metadata',
};

function skippedText({ filesSkippedBy }: ScanReport): string {
  const reasons = Object.entries(SKIPPED).flatMap(([key, text]) => {
    const files = filesSkippedBy[key as keyof typeof SKIPPED];
    return files > 0 ? [`${files} ${text}`] : [];
  });
  return reasons.length === 0 ? '' : `; skipped: ${reasons.join(', ')}`;
}

function accessText({ access }: ScanReport): string {
  const ways = [
    [access.local, 'by DuckDB from the local disk'],
    [access.httpfs, 'by DuckDB from the store (httpfs)'],
    [access.cache, 'by DuckDB from the cache of column chunks'],
    [access.core, 'by core'],
  ] as const;
  const used = ways.flatMap(([files, how]) => (files > 0 ? [`${count(files, 'file')} ${how}`] : []));
  const fetched =
    access.bytesFetched > 0
      ? [`${bytesText(access.bytesFetched)} fetched in ${count(access.requests, 'request')}`]
      : [];
  return [...used, ...fetched].join(', ') || 'no one: there is nothing to read';
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** In units that leave one to three digits in front of the point. */
function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]!}`;
}

/** DuckDB's drawing without what the user didn't write: lists of files, and names of this library's own. */
function cleanPlan(text: string, statement: string): string {
  const lines = text.split('\n');
  hideFileNames(lines);
  return withStatement(lines, statement)
    .filter((line, i, all) => !(/^[│ ]*│[│ ]*$/.test(line) && line === all[i - 1]))
    .join('\n')
    .replaceAll('__LH_FEED', 'IN_MEMORY')
    .replaceAll('__lh_', 'lake_');
}

/** In front of the profile stands the query as it was run, with all its files. */
function withStatement(lines: readonly string[], statement: string): readonly string[] {
  const profile = lines.findIndex((line) => line.includes('Query Profiling Information'));
  if (profile < 0) return lines;
  const first = lines.findIndex((line, i) => i > profile && line.startsWith('└')) + 1;
  const next = lines.findIndex((line, i) => i >= first && line.startsWith('┌'));
  return [...lines.slice(0, first), statement, ...lines.slice(next)];
}

/** Boxes may stand beside each other: only what is in the box itself is wiped out. */
function hideFileNames(lines: string[]): void {
  for (let i = 0; i < lines.length; i++) {
    for (;;) {
      const at = lines[i]!.indexOf('Filename(s):');
      if (at < 0) break;
      const [left, right] = [lines[i]!.lastIndexOf('│', at) + 1, lines[i]!.indexOf('│', at)];
      if (left === 0 || right < 0) break;
      for (let j = i; j < lines.length; j++) {
        const cell = lines[j]!.slice(left, right);
        if (cell.trim() === '' || !/[│├]/.test(lines[j]![right] ?? '')) break;
        lines[j] = `${lines[j]!.slice(0, left)}${' '.repeat(right - left)}${lines[j]!.slice(right)}`;
      }
    }
  }
}
