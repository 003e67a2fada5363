import type { FileIOFactory } from '../../io/file-io-factory.ts';
import type { FileIO } from '../../io/file-io.ts';
import type { Runtime } from '../../runtime.ts';
import { LentCredentials, isSecretName, lendsCredentials } from './lent-credentials.ts';
import type { TableConfig } from './load-table-result.ts';

/** FileIOs that are kept, so that handles of one table share what they have cached; the one unused longest goes first. */
const MAX_KEPT = 256;

/** A table, as far as it matters for reaching its files. */
export interface FilesOf {
  readonly uuid: string;
  readonly location: string;
  readonly config: TableConfig;
  /** Gets the settings anew, with credentials that are good for a while. */
  readonly ask: () => Promise<TableConfig>;
}

/** Which FileIO reaches the files of which table. */
export class TableFiles {
  readonly #io: FileIO | FileIOFactory;
  readonly #properties: Readonly<Record<string, string>>;
  readonly #runtime: Runtime;
  readonly #kept = new Map<string, { readonly io: FileIO; readonly lent: LentCredentials | null }>();

  constructor(io: FileIO | FileIOFactory, properties: Readonly<Record<string, string>>, runtime: Runtime) {
    this.#io = io;
    this.#properties = properties;
    this.#runtime = runtime;
  }

  /** Whether the server's credentials are of use to anyone. */
  get takesCredentials(): boolean {
    return typeof this.#io === 'function';
  }

  of(table: FilesOf): FileIO {
    if (typeof this.#io !== 'function') return this.#io;
    const key = keyOf(table);
    const kept = this.#kept.get(key) ?? this.#make(this.#io, table);
    kept.lent?.offer(table.config);
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return kept.io;
  }

  #make(factory: FileIOFactory, { location, config, ask }: FilesOf): { io: FileIO; lent: LentCredentials | null } {
    const lent = lendsCredentials(config) ? new LentCredentials(location, config, ask, this.#runtime) : null;
    const io = factory({
      location,
      properties: { ...this.#properties, ...config.config },
      credentials: lent && (() => lent.next()),
    });
    return { io, lent };
  }
}

/** Tables that the server says nothing special about share one FileIO for each place; credentials come and go. */
function keyOf({ uuid, location, config }: FilesOf): string {
  const settings = Object.entries(config.config).filter(([name]) => !isSecretName(name));
  const own = settings.length > 0 || lendsCredentials(config);
  const place = /^[a-z][a-z0-9+.-]*:\/\/[^/]*/i.exec(location)?.[0] ?? '';
  return JSON.stringify(own ? [uuid, settings.toSorted(([a], [b]) => (a < b ? -1 : 1))] : [place]);
}
