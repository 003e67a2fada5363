import { LakehouseError } from '../errors.ts';
import type { FileIO } from '../io/file-io.ts';
import { randomUuid, type Runtime } from '../runtime.ts';
import { applyUpdates } from '../spec/apply-updates.ts';
import { checkRequirements } from '../spec/requirements.ts';
import { parseTableMetadata, serializeTableMetadata } from '../spec/table-metadata-json.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { TableRequirement, TableUpdate } from '../spec/updates.ts';
import type { LoadedMetadata, TableOperations } from './catalog.ts';
import { identifierText } from './identifier.ts';
import { metadataDirectory } from './table-location.ts';

/** A table of a MemoryCatalog: the pointer that commits move. */
export interface MemoryTableEntry {
  levels: readonly string[];
  /** Null before the table is published and after it was dropped. */
  metadataLocation: string | null;
}

/** Commits by writing a new metadata file and then, in one step without waiting, moving the pointer to it. */
export class MemoryTableOperations implements TableOperations {
  readonly io: FileIO;
  readonly readOnly: null = null;
  readonly #entry: MemoryTableEntry;
  readonly #runtime: Runtime;

  constructor(entry: MemoryTableEntry, io: FileIO, runtime: Runtime) {
    this.io = io;
    this.#entry = entry;
    this.#runtime = runtime;
  }

  get name(): string {
    return identifierText(this.#entry.levels);
  }

  newMetadataFileLocation({ location, properties }: TableMetadata, fileName: string): string {
    return `${metadataDirectory(location, properties)}/${fileName}`;
  }

  async load(): Promise<LoadedMetadata> {
    const { metadataLocation } = this.#entry;
    if (metadataLocation === null) {
      const message = `There is no table ${this.name}: it was dropped.`;
      throw new LakehouseError('NOT_FOUND', message, { context: { table: this.name } });
    }
    return { metadata: parseTableMetadata(await this.io.read(metadataLocation), metadataLocation), metadataLocation };
  }

  async commit(
    _base: LoadedMetadata,
    requirements: readonly TableRequirement[],
    updates: readonly TableUpdate[],
  ): Promise<LoadedMetadata> {
    const current = await this.load();
    checkRequirements(current.metadata, requirements);
    const context = { nowMs: this.#runtime.now(), baseMetadataLocation: current.metadataLocation };
    const metadata = applyUpdates(current.metadata, updates, context);
    if (metadata === current.metadata) return current;
    const next = await this.writeMetadata(metadata, current.metadataLocation);
    if (this.#entry.metadataLocation !== current.metadataLocation) {
      await this.io.delete([next.metadataLocation]);
      const message = `Another writer committed to table ${this.name} first; load it again and retry.`;
      throw new LakehouseError('COMMIT_CONFLICT', message, { retryable: true, context: { table: this.name } });
    }
    this.#entry.metadataLocation = next.metadataLocation;
    return next;
  }

  /** Writes a metadata file that nothing points to yet, with a number above that of the one before it. */
  async writeMetadata(metadata: TableMetadata, previousLocation: string | null): Promise<LoadedMetadata> {
    const previous = Number(/\/v?(\d+)[^/]*$/.exec(previousLocation ?? '')?.[1] ?? -1);
    const fileName = `${String(previous + 1).padStart(5, '0')}-${randomUuid(this.#runtime)}.metadata.json`;
    const metadataLocation = this.newMetadataFileLocation(metadata, fileName);
    await this.io.write(metadataLocation, serializeTableMetadata(metadata));
    return { metadata, metadataLocation };
  }
}
