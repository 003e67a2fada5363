import { invalidArgument } from '../errors.ts';
import { isDeletionVector } from '../manifest/content-problem.ts';
import { partitionKey } from '../scan/partition-key.ts';
import type { DataFile, FileContent } from '../spec/data-file.ts';
import { currentSchema, specById } from '../spec/metadata-accessors.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { partitionPath } from '../transforms/partition-path.ts';

/**
 * Builds a snapshot's summary (spec: "Optional Snapshot Summary Fields") under the names, and with the omissions, of
 * Iceberg Java: counts of zero are left out, totals are kept only as long as every ancestor has them.
 */
export class SnapshotSummary {
  readonly #changes = new Changes();
  readonly #byPartition = new Map<string, Changes>();

  /** `partition`: the file's partition as text, '' in an unpartitioned table. */
  addedFile(file: DataFile, partition: string): void {
    this.#count('added', file, partition);
  }

  removedFile(file: DataFile, partition: string): void {
    this.#count('removed', file, partition);
  }

  #count(direction: Direction, file: DataFile, partition: string): void {
    this.#changes.count(direction, file);
    this.#inPartition(partition).count(direction, file);
  }

  #inPartition(path: string): Changes {
    let changes = this.#byPartition.get(path);
    if (!changes) this.#byPartition.set(path, (changes = new Changes()));
    return changes;
  }

  /**
   * The fields that say what the snapshot changed.
   * @param partitionLimit `write.summary.partition-limit`: up to so many changed partitions are described one by one
   */
  build(partitionLimit: number): Record<string, string> {
    const summary: Record<string, string> = this.#changes.fields();
    summary['changed-partition-count'] = String(this.#byPartition.size);
    if (this.#byPartition.size > 0 && this.#byPartition.size <= partitionLimit) {
      summary['partition-summaries-included'] = 'true';
      for (const [path, changes] of this.#byPartition) {
        if (path !== '') summary[`partitions.${path}`] = joinFields(changes.fields());
      }
    }
    return summary;
  }
}

/** The fields that say what a snapshot changed, of the files that it adds and removes. */
export function summarizeFiles(
  added: readonly DataFile[],
  removed: readonly DataFile[],
  metadata: TableMetadata,
  partitionLimit: number,
): Record<string, string> {
  const schema = currentSchema(metadata);
  const pathOf = ({ specId, partition }: DataFile): string => {
    const spec = specById(metadata, specId);
    // What an unknown transform's values look like isn't known, but which of them are equal.
    const isKnown = spec.fields.every(({ transform }) => transform.kind !== 'unknown');
    return isKnown ? partitionPath(spec, schema, partition) : partitionKey(specId, partition);
  };
  const summary = new SnapshotSummary();
  for (const file of added) summary.addedFile(file, pathOf(file));
  for (const file of removed) summary.removedFile(file, pathOf(file));
  return summary.build(partitionLimit);
}

type Direction = 'added' | 'removed';

/** What is counted, in the order of the summary: its key when files come, and when they go. */
const COUNTED = {
  dataFiles: { added: 'added-data-files', removed: 'deleted-data-files' },
  equalityDeleteFiles: { added: 'added-equality-delete-files', removed: 'removed-equality-delete-files' },
  positionDeleteFiles: { added: 'added-position-delete-files', removed: 'removed-position-delete-files' },
  deleteFiles: { added: 'added-delete-files', removed: 'removed-delete-files' },
  vectors: { added: 'added-dvs', removed: 'removed-dvs' },
  records: { added: 'added-records', removed: 'deleted-records' },
  bytes: { added: 'added-files-size', removed: 'removed-files-size' },
  positionDeletes: { added: 'added-position-deletes', removed: 'removed-position-deletes' },
  equalityDeletes: { added: 'added-equality-deletes', removed: 'removed-equality-deletes' },
} as const satisfies Record<string, Readonly<Record<Direction, string>>>;

type Counted = keyof typeof COUNTED;

/** Which files and which rows a file counts as; delete files count as such, too. */
const COUNTED_AS: Readonly<Record<FileContent, (file: DataFile) => readonly [files: Counted, rows: Counted]>> = {
  data: () => ['dataFiles', 'records'],
  'position-deletes': (file) => [isDeletionVector(file) ? 'vectors' : 'positionDeleteFiles', 'positionDeletes'],
  'equality-deletes': () => ['equalityDeleteFiles', 'equalityDeletes'],
};

class Changes {
  readonly #counts = new Map<string, bigint>();

  count(direction: Direction, file: DataFile): void {
    const [files, rows] = COUNTED_AS[file.content](file);
    this.#add(COUNTED[files][direction], 1n);
    if (file.content !== 'data') this.#add(COUNTED.deleteFiles[direction], 1n);
    this.#add(COUNTED[rows][direction], BigInt(file.recordCount));
    // Several deletion vectors share a file; each counts for its own part.
    this.#add(COUNTED.bytes[direction], BigInt(file.contentSizeInBytes ?? file.fileSizeInBytes));
  }

  #add(key: string, count: bigint): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0n) + count);
  }

  fields(): Record<string, string> {
    const fields: Record<string, string> = {};
    for (const keys of Object.values(COUNTED)) {
      for (const key of [keys.added, keys.removed]) {
        const count = this.#counts.get(key) ?? 0n;
        if (count > 0n) fields[key] = String(count);
      }
    }
    return fields;
  }
}

function joinFields(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

type Fields = Readonly<Record<string, string>>;

/** Total, and what is added to and removed from it. */
const TOTALS: readonly (readonly [total: string, added: string, removed: string])[] = [
  ['total-records', 'added-records', 'deleted-records'],
  ['total-files-size', 'added-files-size', 'removed-files-size'],
  ['total-data-files', 'added-data-files', 'deleted-data-files'],
  ['total-delete-files', 'added-delete-files', 'removed-delete-files'],
  ['total-position-deletes', 'added-position-deletes', 'removed-position-deletes'],
  ['total-equality-deletes', 'added-equality-deletes', 'removed-equality-deletes'],
];

/**
 * The totals after a snapshot: the parent's plus the changes. `parent` is null for the first snapshot of a branch. A total
 * that the parent lacks, or that is no number, is unknown from there on, as is one that would fall below zero.
 */
export function totalsAfter(parent: Fields | null, changes: Fields): Record<string, string> {
  const totals: Record<string, string> = {};
  for (const [key, addedKey, removedKey] of TOTALS) {
    const before = parent === null ? 0n : parseCount(parent[key]);
    if (before === null) continue;
    const after = before + (parseCount(changes[addedKey]) ?? 0n) - (parseCount(changes[removedKey]) ?? 0n);
    if (after >= 0n) totals[key] = String(after);
  }
  return totals;
}

function parseCount(text: string | undefined): bigint | null {
  return text !== undefined && /^\d+$/.test(text) ? BigInt(text) : null;
}

/** Where the key of `idempotencyKey` is kept. */
export const IDEMPOTENCY_KEY = 'idempotency-key';

/** Of a snapshot that is staged, to be published later: the `wapId` that it was staged with. It is on no branch. */
export const WAP_ID = 'wap.id';
/** Of a snapshot that makes the change of a staged one. */
export const PUBLISHED_WAP_ID = 'published-wap-id';
/** Of a snapshot that makes the change of another one: that one's id. */
export const SOURCE_SNAPSHOT_ID = 'source-snapshot-id';
/** 'true' in an overwrite that replaces the partitions that it adds files to. */
export const REPLACE_PARTITIONS = 'replace-partitions';

const COMPUTED = new Set([
  'operation',
  IDEMPOTENCY_KEY,
  PUBLISHED_WAP_ID,
  SOURCE_SNAPSHOT_ID,
  REPLACE_PARTITIONS,
  'changed-partition-count',
  'partition-summaries-included',
  'manifests-created',
  'manifests-kept',
  'manifests-replaced',
  ...TOTALS.flat(),
  ...Object.values(COUNTED).flatMap(({ added, removed }) => [added, removed]),
]);

/** Refuses properties that would replace what the summary says of the snapshot itself. */
export function checkSnapshotProperties(properties: Fields): void {
  for (const [key, value] of Object.entries(properties)) {
    if (COMPUTED.has(key) || key.startsWith('partitions.')) {
      throw invalidArgument(`The snapshot property '${key}' is computed; choose another name.`);
    }
    if (typeof value !== 'string') {
      throw invalidArgument(`The snapshot property '${key}' must be a string.`);
    }
  }
}
