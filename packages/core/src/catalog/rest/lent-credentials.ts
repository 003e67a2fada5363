import type { Runtime } from '../../runtime.ts';
import type { StorageCredential, TableConfig } from './load-table-result.ts';

/** What a server may lend, by the names that all clients know: none of it belongs into a key or a message. */
const SECRET = /(?:secret|token|password|credential|sas|key)/i;

/** Credentials that are good for less than this are not handed out. */
const MARGIN_MS = 60_000;

const EXPIRY = /(?:expires-at-ms|expiration-time-ms)$/;

/**
 * Storage credentials that a server lends for a table. Those that came with the table are handed out first; at each
 * further call the server is asked for new ones, once for all who ask at the same time.
 */
export class LentCredentials {
  readonly #location: string;
  readonly #runtime: Runtime;
  readonly #ask: () => Promise<TableConfig>;
  #unused: Readonly<Record<string, string>> | null;
  #given: Readonly<Record<string, string>> | null = null;
  #asking: Promise<Readonly<Record<string, string>>> | null = null;

  constructor(location: string, first: TableConfig, ask: () => Promise<TableConfig>, runtime: Runtime) {
    this.#location = location;
    this.#unused = propertiesFor(location, first);
    this.#ask = ask;
    this.#runtime = runtime;
  }

  /** What came when the table was loaded again. */
  offer(config: TableConfig): void {
    this.#unused = propertiesFor(this.#location, config);
  }

  async next(): Promise<Readonly<Record<string, string>>> {
    const unused = this.#unused;
    this.#unused = null;
    // Whoever comes again was refused with what was given, or holds it for too old.
    if (unused !== null && this.#isGood(unused) && !isEqual(unused, this.#given)) return (this.#given = unused);
    this.#asking ??= this.#ask()
      .then((config) => (this.#given = propertiesFor(this.#location, config)))
      .finally(() => {
        this.#asking = null;
      });
    return this.#asking;
  }

  #isGood(properties: Readonly<Record<string, string>>): boolean {
    const expiries = Object.entries(properties).flatMap(([name, value]) => (EXPIRY.test(name) ? Number(value) : []));
    return expiries.every((expiresAtMs) => this.#runtime.now() + MARGIN_MS < expiresAtMs);
  }
}

function isEqual(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>> | null): boolean {
  if (b === null || Object.keys(a).length !== Object.keys(b).length) return false;
  return Object.entries(a).every(([name, value]) => b[name] === value);
}

/** The table's settings, with the credentials of the longest prefix that its location has. */
function propertiesFor(location: string, { config, credentials }: TableConfig): Readonly<Record<string, string>> {
  return { ...config, ...mostSpecific(location, credentials)?.config };
}

/** REST specification, "StorageCredential": the longest prefix counts. */
function mostSpecific(location: string, credentials: readonly StorageCredential[]): StorageCredential | undefined {
  return credentials
    .filter(({ prefix }) => location.startsWith(prefix))
    .toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
}

export function lendsCredentials({ config, credentials }: TableConfig): boolean {
  return credentials.length > 0 || Object.keys(config).some((name) => isSecretName(name));
}

/** Whether the value of a property is one that nobody should see. */
export function isSecretName(name: string): boolean {
  return SECRET.test(name);
}
