import type { FileIO } from '../../io/file-io.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import type { TableRequirement, TableUpdate } from '../../spec/updates.ts';
import { isLakehouseError } from '../../errors.ts';
import type { LoadedMetadata, TableOperations } from '../catalog.ts';
import { metadataDirectory } from '../table-location.ts';
import { commitTable } from './commit-table.ts';
import type { HttpAnswer } from './http-client.ts';
import { loadedFrom } from './load-table-result.ts';
import type { RestSession } from './rest-session.ts';
import type { TableName } from './table-name.ts';

export interface RestTable extends TableName {
  readonly session: RestSession;
  readonly io: FileIO;
  /** What is sent when the table is loaded. */
  readonly headers: Readonly<Record<string, string>>;
  /** Told of every answer to a load, which may bring new credentials. */
  readonly onLoad: (answer: HttpAnswer, loaded: LoadedMetadata) => void;
}

/** A version with the tag that the server has for it. */
interface TaggedVersion {
  readonly loaded: LoadedMetadata;
  readonly etag: string | null;
}

const NOT_MODIFIED = 304;

/** A table of a REST catalog: the server makes its metadata files, and names them. */
export class RestTableOperations implements TableOperations {
  readonly name: string;
  readonly io: FileIO;
  readonly readOnly: string | null;
  readonly #table: RestTable;
  readonly #route: { readonly namespace: readonly string[]; readonly table: string };
  #newest: TaggedVersion | null = null;

  constructor(table: RestTable) {
    this.name = table.text;
    this.io = table.io;
    this.readOnly = table.session.supports('updateTable') ? null : 'its catalog takes no commits';
    this.#table = table;
    this.#route = { namespace: table.namespace, table: table.table };
  }

  newMetadataFileLocation({ location, properties }: TableMetadata, fileName: string): string {
    return `${metadataDirectory(location, properties)}/${fileName}`;
  }

  async load(): Promise<LoadedMetadata> {
    const known = this.#newest;
    const answer = await this.#table.session.call('loadTable', {
      ...this.#route,
      doing: `load table ${this.name}`,
      headers: { ...this.#table.headers, ...(known?.etag && { 'if-none-match': known.etag }) },
    });
    if (answer.status === NOT_MODIFIED && known) return known.loaded;
    const loaded = this.remember(answer);
    this.#table.onLoad(answer, loaded);
    return loaded;
  }

  async commit(
    _base: LoadedMetadata,
    requirements: readonly TableRequirement[],
    updates: readonly TableUpdate[],
  ): Promise<LoadedMetadata> {
    return commitTable(this.#table.session, {
      name: this.name,
      ...this.#route,
      requirements,
      updates,
      load: () => this.loadIfThere(),
      read: (answer) => this.remember(answer),
    });
  }

  /** The version in an answer, which is the newest that is known from then on. */
  remember(answer: HttpAnswer): LoadedMetadata {
    const loaded = loadedFrom(answer.body, this.name, this.#newest?.loaded ?? null);
    this.#newest = { loaded, etag: answer.headers.get('etag') };
    return loaded;
  }

  /** Null when the table is gone. */
  async loadIfThere(): Promise<LoadedMetadata | null> {
    try {
      return await this.load();
    } catch (error) {
      if (isLakehouseError(error, 'NOT_FOUND')) return null;
      throw error;
    }
  }
}
