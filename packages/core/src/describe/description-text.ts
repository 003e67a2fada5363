import type { SnapshotRef } from '../spec/snapshot.ts';
import { bytesText, countText, percentText } from './quantity-text.ts';
import type { DescriptionLine, TableDescriptionFields } from './table-description.ts';

type Rows = readonly (readonly string[])[];

interface Section {
  readonly title: string;
  readonly rows: Rows;
}

/** The whole description as text for people: no line is longer than it must be, and there are no colours in it. */
export function descriptionText(description: TableDescriptionFields): string {
  return sections(description)
    .map(({ title, rows }) => [title, ...aligned(rows).map((line) => `  ${line}`)].join('\n'))
    .join('\n\n');
}

export function descriptionLines(description: TableDescriptionFields): readonly DescriptionLine[] {
  const [table, ...others] = sections(description);
  return [{ ...table!, title: 'Table' }, ...others].flatMap(({ title, rows }) =>
    rows.map(([name, ...values]) => ({
      section: title,
      name: name!,
      value: values.filter((value) => value !== '').join(' '),
    })),
  );
}

function sections(description: TableDescriptionFields): readonly Section[] {
  return [
    { title: description.name, rows: tableRows(description) },
    { title: 'Columns', rows: columnRows(description) },
    { title: 'Snapshot', rows: snapshotRows(description) },
    { title: 'Files', rows: fileRows(description) },
    { title: 'Health', rows: healthRows(description) },
    { title: 'Properties', rows: Object.entries(description.properties).toSorted(byName) },
  ].filter(({ rows }) => rows.length > 0);
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function tableRows(description: TableDescriptionFields): Rows {
  const { location, metadataLocation, formatVersion, uuid, lastUpdatedMs, partitionedBy, sortedBy } = description;
  const { metadataBytes, snapshots, refs } = description;
  const size = metadataBytes === null ? '' : `, ${bytesText(metadataBytes)}`;
  return [
    ['location', location],
    ['format', `v${formatVersion}`],
    ['uuid', uuid],
    ['updated', timeText(lastUpdatedMs)],
    ['partitioned by', partitionedBy.join(', ') || 'nothing'],
    ['sorted by', sortedBy.join(', ') || 'nothing'],
    ['metadata', `${metadataLocation}${size}`],
    ['snapshots', countText(snapshots)],
    ...Object.entries(refs).toSorted(byName).map(refRow),
  ];
}

function refRow([name, { type, snapshotId }]: readonly [string, SnapshotRef]): readonly string[] {
  return [type, `${name} → ${snapshotId}`];
}

function columnRows({ columns }: TableDescriptionFields): Rows {
  const rows = columns.map(({ name, type, required, isKey, writeDefault, doc }) => [
    name,
    type,
    isKey ? 'key' : required ? 'required' : '',
    writeDefault === null ? '' : `default ${writeDefault}`,
    doc ?? '',
  ]);
  // Parts that no column has take no room.
  const used = [0, 1, 2, 3, 4].filter((part) => part < 2 || rows.some((row) => row[part] !== ''));
  return rows.map((row) => used.map((part) => row[part]!));
}

function snapshotRows({ snapshot }: TableDescriptionFields): Rows {
  if (snapshot === null) return [['none', 'nothing has been written']];
  const { snapshotId, operation, timestampMs, sequenceNumber } = snapshot;
  return [
    ['id', String(snapshotId)],
    ['operation', operation ?? 'unknown'],
    ['committed', timeText(timestampMs)],
    ['sequence number', String(sequenceNumber)],
  ];
}

function fileRows({ snapshot, contents, health }: TableDescriptionFields): Rows {
  if (snapshot === null) return [];
  const { dataFiles, rows, bytes, deleteFiles, deletes, dataManifests, deleteManifests, manifestBytes, files } =
    contents;
  const { averageFileBytes, targetFileBytes, deleteRatio } = health;
  const share = deleteRatio === null || deletes === 0 ? '' : `, ${percentText(deleteRatio)} of the rows`;
  const kinds = files
    ? [
        [files.positionDeleteFiles, 'of positions'],
        [files.deletionVectors, 'deletion vectors'],
        [files.equalityDeleteFiles, 'of keys'],
      ].flatMap(([count, what]) => (count === 0 ? [] : `${countText(count as number)} ${what}`))
    : [];
  return [
    ['rows', known(rows, countText)],
    ['data files', known(dataFiles, countText)],
    ['size', known(bytes, bytesText)],
    [
      'file size',
      `${known(averageFileBytes, bytesText)} on average, the target is ${bytesText(targetFileBytes)}${
        files && dataFiles ? ` (${bytesText(files.smallestBytes)} to ${bytesText(files.largestBytes)})` : ''
      }`,
    ],
    ...(files ? [['small files', `${countText(files.smallFiles)}, ${bytesText(files.smallFileBytes)}`]] : []),
    ['delete files', `${known(deleteFiles, countText)}${kinds.length > 0 ? `: ${kinds.join(', ')}` : ''}`],
    ['deletes', `${known(deletes, countText)}${share}`],
    [
      'manifests',
      `${countText(dataManifests)} of data, ${countText(deleteManifests)} of deletes, ${bytesText(manifestBytes)}`,
    ],
  ];
}

function healthRows({ snapshot, health }: TableDescriptionFields): Rows {
  if (snapshot === null) return [];
  return health.findings.length === 0
    ? [['good', 'nothing slows reading down']]
    : health.findings.map((text) => ['slow', text]);
}

function known(value: number | null, text: (value: number) => string): string {
  return value === null ? 'unknown' : text(value);
}

function timeText(timestampMs: number): string {
  const time = new Date(timestampMs);
  // A time beyond what the language can show is still a number.
  return Number.isNaN(time.getTime()) ? `${timestampMs} ms` : time.toISOString();
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}

/** Columns under each other; control characters could do anything to a terminal. */
function aligned(rows: Rows): readonly string[] {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll(/\p{Cc}+/gu, ' ')));
  const widths: number[] = [];
  for (const row of cells) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, lengthOf(cell))));
  return cells.map((row) =>
    row
      .map((cell, i) => cell + ' '.repeat(widths[i]! - lengthOf(cell)))
      .join('  ')
      .trimEnd(),
  );
}
