import { invalidArgument } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import { fileKeyOf } from '../../io/locations.ts';
import { requestsAtOnce } from '../../io/requests-at-once.ts';
import { readManifestList } from '../../manifest/read-manifest-list.ts';
import { readManifest } from '../../manifest/read-manifest.ts';
import { tableDefinitions } from '../../manifest/table-definitions.ts';
import { lookAhead } from '../../scan/look-ahead.ts';
import type { DataFile } from '../../spec/data-file.ts';
import type { ManifestFile } from '../../spec/manifest.ts';
import type { Snapshot } from '../../spec/snapshot.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import type { CommitAttempt } from '../action.ts';

/** Looks for files among those that a branch has already. What an earlier attempt has looked at is not read again. */
export class DuplicateCheck {
  readonly #io: FileIO;
  readonly #searched = new Set<string>();

  constructor(io: FileIO) {
    this.#io = io;
  }

  /** INVALID_ARGUMENT if one of the files is a live data file of the snapshot: all of its rows would be there twice. */
  async check(
    files: readonly DataFile[],
    parent: Snapshot | null,
    metadata: TableMetadata,
    attempt: CommitAttempt,
  ): Promise<void> {
    if (parent === null) return;
    const wanted = new Set(files.map(({ path }) => fileKeyOf(this.#io, path)));
    const manifests = (await readManifestList(this.#io, parent, metadata)).filter(
      ({ content, path }) => content === 'data' && !this.#searched.has(path),
    );
    const found = lookAhead(manifests, requestsAtOnce(this.#io, attempt.runtime), async (manifest) => {
      return [manifest, await this.#find(wanted, manifest, metadata, attempt.signal)] as const;
    });
    for await (const [manifest, path] of found) {
      if (path !== null) throw isThere(path, attempt.operations.name);
      this.#searched.add(manifest.path);
    }
  }

  async #find(
    wanted: ReadonlySet<string>,
    manifest: ManifestFile,
    metadata: TableMetadata,
    signal: AbortSignal | undefined,
  ): Promise<string | null> {
    const batches = readManifest(this.#io, manifest, {
      ...tableDefinitions(metadata),
      columns: { stats: 'none' },
      liveOnly: true,
      ...(signal && { signal }),
    });
    for await (const batch of batches) {
      const entry = batch.find(({ file }) => wanted.has(fileKeyOf(this.#io, file.path)));
      if (entry) return entry.file.path;
    }
    return null;
  }
}

function isThere(path: string, table: string): Error {
  return invalidArgument(
    `${path} is a file of ${table} already, so all of its rows would be there twice. Leave it out, or set checkDuplicates to false.`,
    { table, path },
  );
}
