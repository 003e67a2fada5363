import type { Catalog, Identifier } from '../../catalog/catalog.ts';
import { fileSystemTableOperations } from '../../catalog/file-system/table-operations.ts';
import { LakehouseError, invalidArgument, invalidData, isLakehouseError } from '../../errors.ts';
import { checkOptions } from '../check-options.ts';
import type { OptionKinds } from '../check-options.ts';
import type { FileIO } from '../../io/file-io.ts';
import { MappedFileIO } from '../../io/mapped-file-io.ts';
import { withoutSlashes } from '../../io/locations.ts';
import { randomUuid, systemRuntime } from '../../runtime.ts';
import type { Runtime } from '../../runtime.ts';
import { parseTableMetadata } from '../../spec/table-metadata-json.ts';
import { relocateTable } from '../rewrite-table-path/relocate-table.ts';
import type { RelocatedFiles } from '../rewrite-table-path/relocate-table.ts';
import { sha256 } from './checksums.ts';
import type { Sha256 } from './checksums.ts';
import { CopiedFiles, refuseUsedDirectory } from './copied-files.ts';
import type { CopyProgress } from './copied-files.ts';
import { CHECKSUMS_FILE, EXPORT_FILE, exportDescription } from './export-description.ts';
import type { ExportDescription } from './export-description.ts';
import { exportRelocation } from './export-table.ts';

export interface ImportTableOptions {
  /** The directory of an export, which may have been moved since. */
  readonly from: string;
  readonly io: FileIO;
  /** Where the table is to be: an empty directory. One below a file-system catalog's warehouse is a table of it. */
  readonly location: string;
  /** Writes there; `io` if left out. */
  readonly targetIo?: FileIO | undefined;
  /** A catalog that the table is registered with, under `name`. */
  readonly catalog?: Catalog | undefined;
  readonly name?: Identifier | undefined;
  /** Only compares the checksums of all files: whether the export is whole. */
  readonly dryRun?: boolean | undefined;
  /** Told of every file. */
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly runtime?: Runtime | undefined;
}

export interface ImportReport {
  readonly location: string;
  /** Null in a dry run. */
  readonly metadataLocation: string | null;
  readonly files: number;
  readonly bytes: number;
  readonly dryRun: boolean;
}

const OPTIONS: OptionKinds<ImportTableOptions> = {
  from: 'required text',
  io: 'object',
  location: 'required text',
  targetIo: 'object',
  catalog: 'object',
  name: 'any',
  dryRun: 'boolean',
  onProgress: 'function',
  signal: 'object',
  runtime: 'object',
};

/**
 * Makes a table of an export again, with all of its snapshots: every file is copied and its checksum compared. If it
 * fails, there is no table, and what it copied is deleted. NOT_FOUND if there is no complete export; INVALID_DATA,
 * naming the file, for a checksum that differs; ALREADY_EXISTS if the location isn't empty.
 */
export async function importTable(options: ImportTableOptions): Promise<ImportReport> {
  checkOptions('importTable', options, OPTIONS);
  const { signal, catalog, name, onProgress, dryRun = false, runtime = systemRuntime } = options;
  if ((catalog === undefined) !== (name === undefined)) {
    throw invalidArgument('An import into a catalog takes both the catalog and the name of the table.');
  }
  const targetIo = options.targetIo ?? options.io;
  const location = withoutSlashes(options.location);
  const aborted = signal ? { signal } : {};
  const { description, checksums } = await readExport(options.io, withoutSlashes(options.from), aborted);
  const from = description.location;
  const io = new MappedFileIO(options.io, { [`${from}/`]: `${withoutSlashes(options.from)}/` });
  await refuseUsedDirectory(targetIo, location, aborted);
  const metadataLocation = `${from}/${description.metadataFile}`;
  const check = (source: string, checksum: Sha256): void => checkFile(checksums, source, from, checksum);
  const copies = new CopiedFiles(io, targetIo, location, { runtime, onProgress, signal, dryRun, check });
  try {
    const bytes = await io.read(metadataLocation, aborted);
    check(metadataLocation, sha256(bytes));
    const files = new ImportedFiles(io, copies, metadataLocation, check);
    const to = exportRelocation(from, location);
    const metadata = parseTableMetadata(bytes, metadataLocation);
    const source = { metadata, metadataLocation };
    await relocateTable(source, files, { io, runtime, to, olderVersions: false, since: null, signal });
    await copies.finish();
    const { filesDone, bytesDone } = copies.progress;
    const done = { location, files: filesDone + 1, bytes: bytesDone + bytes.length, dryRun };
    if (dryRun) return { ...done, metadataLocation: null };
    if (catalog && name !== undefined) {
      const registered = `${location}/metadata/00000-${randomUuid(runtime)}.metadata.json`;
      await targetIo.write(registered, files.metadata!, aborted);
      return { ...done, metadataLocation: (await catalog.registerTable(name, registered)).metadataLocation };
    }
    const operations = fileSystemTableOperations(location, targetIo, { runtime });
    const created = await operations.create(parseTableMetadata(files.metadata!, metadataLocation));
    return { ...done, metadataLocation: created.metadataLocation };
  } catch (error) {
    // A commit that may have happened keeps its files.
    if (!isLakehouseError(error, 'COMMIT_STATE_UNKNOWN')) await copies.abandon();
    throw error;
  }
}

/** Copies what it is given, but for the metadata, which is kept: whoever makes the table writes it. */
class ImportedFiles implements RelocatedFiles {
  metadata: Uint8Array | null = null;
  readonly #io: FileIO;
  readonly #copies: CopiedFiles;
  readonly #metadataLocation: string;
  readonly #check: (source: string, checksum: Sha256) => void;

  constructor(
    io: FileIO,
    copies: CopiedFiles,
    metadataLocation: string,
    check: (source: string, checksum: Sha256) => void,
  ) {
    this.#io = io;
    this.#copies = copies;
    this.#metadataLocation = metadataLocation;
    this.#check = check;
  }

  async write(file: { readonly source: string; readonly target: string; readonly bytes: Uint8Array }): Promise<void> {
    if (file.source === this.#metadataLocation) {
      this.metadata = file.bytes;
      return;
    }
    this.#check(file.source, sha256(await this.#io.read(file.source)));
    await this.#copies.write(file);
  }

  copy(file: { readonly source: string; readonly target: string }): Promise<void> {
    return this.#copies.copy(file);
  }
}

async function readExport(
  io: FileIO,
  from: string,
  aborted: { readonly signal?: AbortSignal },
): Promise<{ readonly description: ExportDescription; readonly checksums: ReadonlyMap<string, Sha256> }> {
  const [description, sums] = await Promise.all([
    io.read(`${from}/${EXPORT_FILE}`, aborted),
    io.read(`${from}/${CHECKSUMS_FILE}`, aborted),
  ]).then(
    ([json, bytes]) => [exportDescription.decode(json), bytes] as const,
    (error: unknown) => {
      if (!isLakehouseError(error, 'NOT_FOUND')) throw error;
      const message = `There is no complete export in ${from}: ${error.message}`;
      throw new LakehouseError('NOT_FOUND', message, { context: { location: from }, cause: error });
    },
  );
  if (sha256(sums) !== description.checksumsSha256) throw damaged(`${from}/${CHECKSUMS_FILE}`);
  const lines = new TextDecoder().decode(sums).split('\n').filter(Boolean);
  return { description, checksums: new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)])) };
}

function checkFile(checksums: ReadonlyMap<string, Sha256>, source: string, from: string, checksum: Sha256): void {
  if (checksums.get(source.slice(from.length + 1)) !== checksum) throw damaged(source);
}

function damaged(location: string): LakehouseError {
  return invalidData(`${location} is not what was exported: its checksum differs. Nothing was imported.`, { location });
}
