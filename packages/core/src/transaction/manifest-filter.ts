import { liveFilesCount } from '../manifest/manifest-file.ts';
import type { NewManifestEntry } from '../manifest/write-manifest.ts';
import { fetchManifests } from '../scan/fetch-manifests.ts';
import { NO_METRICS } from '../spec/data-file.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { ManifestContent, ManifestEntry, ManifestFile } from '../spec/manifest.ts';
import { specById } from '../spec/metadata-accessors.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { CommitAttempt } from './action.ts';
import { validationConflict } from './conflict.ts';
import { fileKey } from './file-key.ts';
import { isSameManifest } from './manifest-merge.ts';
import type { Removal } from './removal.ts';
import { liveEntries, stageManifest } from './stage-manifests.ts';

/** A manifest of the parent snapshot, and what becomes of it. */
export interface FilteredManifest {
  readonly input: ManifestFile;
  /** `input` itself if nothing leaves. */
  readonly output: ManifestFile;
  /** Without statistics. */
  readonly removed: readonly DataFile[];
}

/**
 * Takes entries out of manifests: those that have some are written again, with what leaves as DELETED and the rest as
 * EXISTING entries; all others stay as they are, most of them unopened. Results are kept, so that a later attempt to
 * commit does again only what other writers have touched.
 */
export class ManifestFilter {
  readonly #content: ManifestContent;
  readonly #snapshotId: bigint;
  #known = new Map<string, FilteredManifest>();
  #formatVersion: number | null = null;

  constructor(content: ManifestContent, snapshotId: bigint) {
    this.#content = content;
    this.#snapshotId = snapshotId;
  }

  /** Forgets everything: the removal is another one from here on. */
  reset(): void {
    this.#known = new Map();
  }

  /** All manifests in their order. A conflict if a file that was named is in none of them. */
  async filter(
    manifests: readonly ManifestFile[],
    removal: Removal,
    metadata: TableMetadata,
    attempt: CommitAttempt,
  ): Promise<readonly FilteredManifest[]> {
    // A manifest that was rewritten for an older format version can't be listed any more.
    if (this.#formatVersion !== metadata.formatVersion) this.reset();
    this.#formatVersion = metadata.formatVersion;
    const missing = new MissingFiles(removal.named);
    const results = new Map<ManifestFile, FilteredManifest>();
    for (const manifest of manifests) {
      const known = this.#known.get(manifest.path);
      if (known && isSameManifest(known.input, manifest)) results.set(manifest, known);
    }
    for (const known of results.values()) missing.found(known.removed);
    const candidates = manifests.filter((manifest) => !results.has(manifest) && mayTouch(manifest, removal));
    if (removal.more || missing.size > 0) {
      const { operations, runtime, signal } = attempt;
      const read = fetchManifests(operations.io, candidates, runtime, signal ? { signal } : {});
      for await (const [manifest, bytes] of read) {
        const result = await this.#look(manifest, bytes, removal, metadata, attempt);
        this.#known.set(manifest.path, result);
        results.set(manifest, result);
        missing.found(result.removed);
        if (!removal.more && missing.size === 0) break;
      }
    }
    missing.check(attempt.operations.name);
    return manifests.map((manifest) => results.get(manifest) ?? { input: manifest, output: manifest, removed: [] });
  }

  async #look(
    input: ManifestFile,
    bytes: Uint8Array,
    removal: Removal,
    metadata: TableMetadata,
    attempt: CommitAttempt,
  ): Promise<FilteredManifest> {
    const removed: DataFile[] = [];
    for (const entry of liveEntries(bytes, input, metadata, removal.stats)) {
      if (removal.takes(entry)) removed.push({ ...entry.file, ...NO_METRICS });
    }
    if (removed.length === 0) return { input, output: input, removed };
    const output = await stageManifest(
      rewritten(liveEntries(bytes, input, metadata, 'all'), removal),
      { content: this.#content, spec: specById(metadata, input.partitionSpecId), snapshotId: this.#snapshotId },
      metadata,
      attempt,
    );
    return { input, output, removed };
  }
}

function mayTouch(manifest: ManifestFile, removal: Removal): boolean {
  return liveFilesCount(manifest) !== 0 && removal.mayTouch(manifest);
}

/** Entries that were inherited from say so explicitly from now on (spec: "Sequence Number Inheritance"). */
function* rewritten(entries: Iterable<ManifestEntry>, removal: Removal): Generator<NewManifestEntry> {
  for (const entry of entries) yield { ...entry, status: removal.takes(entry) ? 'deleted' : 'existing' };
}

/** Files that are yet to be found. */
class MissingFiles {
  readonly #counts: Map<string, number>;

  constructor(named: ReadonlyMap<string, number>) {
    this.#counts = new Map(named);
  }

  get size(): number {
    return this.#counts.size;
  }

  found(files: readonly DataFile[]): void {
    for (const file of files) {
      const key = fileKey(file);
      const count = this.#counts.get(key);
      if (count !== undefined && count > 1) this.#counts.set(key, count - 1);
      else this.#counts.delete(key);
    }
  }

  check(table: string): void {
    const [first] = this.#counts.keys();
    if (first === undefined) return;
    const others = this.#counts.size > 1 ? ` and ${this.#counts.size - 1} more` : '';
    const problem = `${first}${others} is not part of it any more`;
    throw validationConflict(table, problem, { path: first }, [...this.#counts.keys()]);
  }
}
