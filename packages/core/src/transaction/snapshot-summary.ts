import { invalidArgument } from '../errors.ts';
import type { DataFile } from '../spec/data-file.ts';

/**
 * Builds a snapshot's summary (spec: "Optional Snapshot Summary Fields") under the names, and with the omissions, of
 * Iceberg Java: counts of zero are left out, totals are kept only as long as every ancestor has them.
 */
export class SnapshotSummary {
  readonly #changes = new Changes();
  readonly #byPartition = new Map<string, Changes>();

  /** `partitionPath`: the file's partition as text, '' in an unpartitioned table. */
  addedFile(file: DataFile, partitionPath: string): void {
    this.#changes.added(file);
    let partition = this.#byPartition.get(partitionPath);
    if (!partition) this.#byPartition.set(partitionPath, (partition = new Changes()));
    partition.added(file);
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

class Changes {
  #files = 0;
  #records = 0n;
  #bytes = 0n;

  added(file: DataFile): void {
    this.#files += 1;
    this.#records += BigInt(file.recordCount);
    this.#bytes += BigInt(file.fileSizeInBytes);
  }

  fields(): Record<string, string> {
    const fields: Record<string, string> = {};
    if (this.#files > 0) fields['added-data-files'] = String(this.#files);
    if (this.#records > 0n) fields['added-records'] = String(this.#records);
    if (this.#bytes > 0n) fields['added-files-size'] = String(this.#bytes);
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

const COMPUTED = new Set([
  'operation',
  IDEMPOTENCY_KEY,
  'changed-partition-count',
  'partition-summaries-included',
  'manifests-created',
  'manifests-kept',
  'manifests-replaced',
  ...TOTALS.flat(),
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
