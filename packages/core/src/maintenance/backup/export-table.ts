import type { FileIO } from '../../io/file-io.ts';
import { fileNameOf, withoutSlashes } from '../../io/locations.ts';
import { systemRuntime } from '../../runtime.ts';
import type { Runtime } from '../../runtime.ts';
import type { LoadedMetadata } from '../../catalog/catalog.ts';
import { checkOptions } from '../check-options.ts';
import type { OptionKinds } from '../check-options.ts';
import type { Relocation } from '../rewrite-table-path/relocate-metadata.ts';
import { relocateTable } from '../rewrite-table-path/relocate-table.ts';
import { sha256 } from './checksums.ts';
import { CopiedFiles, refuseUsedDirectory } from './copied-files.ts';
import type { CopyProgress } from './copied-files.ts';
import { CHECKSUMS_FILE, EXPORT_FILE, exportDescription } from './export-description.ts';

/** One version of a table; a `Table` is one. */
export interface ExportedTable extends LoadedMetadata {
  readonly io: FileIO;
}

export interface ExportTableOptions {
  /** An empty directory. */
  readonly to: string;
  /** What writes there; the table's own if left out. */
  readonly io?: FileIO | undefined;
  /** Counts what would be copied; data files are not read. */
  readonly dryRun?: boolean | undefined;
  /** Told of every file. */
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly runtime?: Runtime | undefined;
}

export interface ExportReport {
  readonly location: string;
  /** The exported table can be read from it, as it is: `Table.load(report.metadataLocation, { io })`. */
  readonly metadataLocation: string;
  readonly files: number;
  readonly bytes: number;
  readonly dryRun: boolean;
}

const OPTIONS: OptionKinds<ExportTableOptions> = {
  to: 'required text',
  io: 'object',
  dryRun: 'boolean',
  onProgress: 'function',
  signal: 'object',
  runtime: 'object',
};

/**
 * Copies a table, with all of its snapshots, branches and tags, to an empty directory: a backup, which `importTable`
 * makes a table of again, and which can be read where it is. Files that lie outside of the table's location come along.
 * `SHA256SUMS` has the checksums of all files (`sha256sum -c`), `export.json` is written last: without it an export is
 * not complete. If it fails, what it copied is deleted. ALREADY_EXISTS if the directory isn't empty.
 */
export async function exportTable(table: ExportedTable, options: ExportTableOptions): Promise<ExportReport> {
  checkOptions('exportTable', options, OPTIONS);
  const { signal, onProgress, dryRun = false, runtime = systemRuntime } = options;
  const io = options.io ?? table.io;
  const location = withoutSlashes(options.to);
  const aborted = signal ? { signal } : {};
  await refuseUsedDirectory(io, location, aborted);
  const files = new CopiedFiles(table.io, io, location, { runtime, onProgress, signal, dryRun });
  try {
    const to = exportRelocation(table.metadata.location, location);
    await relocateTable(table, files, { io: table.io, runtime, to, olderVersions: false, since: null, signal });
    await files.finish();
    const metadataLocation = to.file(table.metadataLocation);
    const { filesDone, bytesDone } = files.progress;
    const report = { location, metadataLocation, files: filesDone, bytes: bytesDone, dryRun };
    if (dryRun) return report;
    const sums = new TextEncoder().encode(files.checksums());
    await io.write(`${location}/${CHECKSUMS_FILE}`, sums, aborted);
    const description = {
      tableUuid: table.metadata.tableUuid,
      location,
      tableLocation: table.metadata.location,
      metadataFile: metadataLocation.slice(location.length + 1),
      files: filesDone,
      bytes: bytesDone,
      checksumsSha256: sha256(sums),
    };
    await io.write(`${location}/${EXPORT_FILE}`, exportDescription.encode(description), aborted);
    return report;
  } catch (error) {
    await files.abandon();
    throw error;
  }
}

/** Files of the table's location keep their places in it; others get one by a hash of where they were. */
export function exportRelocation(tableLocation: string, target: string): Relocation {
  const source = `${withoutSlashes(tableLocation)}/`;
  return {
    table: target,
    file: (location) => {
      if (location.startsWith(source)) return `${target}/${location.slice(source.length)}`;
      const name = fileNameOf(location);
      return `${target}/outside/${sha256(new TextEncoder().encode(location)).slice(0, 16)}-${name}`;
    },
    directory: (location) => (location.startsWith(source) ? `${target}/${location.slice(source.length)}` : null),
  };
}
