import { invalidArgument, unsupported } from '../errors.ts';
import type { FileIOFactory } from '../io/file-io-factory.ts';
import type { FileIO } from '../io/file-io.ts';
import type { Reporter } from '../reporter.ts';
import type { Runtime } from '../runtime.ts';
import type { DataFileWriter } from '../write/data-file-writer.ts';
import type { Catalog } from './catalog.ts';
import { FileSystemCatalog } from './file-system-catalog.ts';
import { MemoryCatalog } from './memory-catalog.ts';
import type { SigV4Options } from './rest/auth/sigv4.ts';
import type { Fetch } from './rest/http-client.ts';
import { RestCatalog } from './rest/rest-catalog.ts';

/** Settings by the names that PyIceberg and Spark have for them. */
export type CatalogProperties = Readonly<Record<string, string>>;

export interface OpenCatalogOptions {
  /** Reaches the files: `s3FileIO` of `@lh/io-s3`, or a FileIO of one's own. */
  readonly io: FileIO | FileIOFactory;
  /** How the catalog calls itself; after its type if left out. */
  readonly name?: string | undefined;
  readonly runtime?: Runtime | undefined;
  readonly reporter?: Reporter | undefined;
  /** Makes the data files of the tables' writes; core itself if left out. */
  readonly writer?: DataFileWriter | undefined;
  /** For REST catalogs, in place of the built-in `fetch`. */
  readonly fetch?: Fetch | undefined;
  /** Ends all requests of a REST catalog. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A catalog from settings that other engines have, too: `type` ('rest', 'hadoop' or 'in-memory'), `uri`, `warehouse`,
 * `token`, `credential`, `oauth2-server-uri`, `scope`, `prefix`, `header.*`, `rest.sigv4-enabled`, `s3.*`. Those that
 * concern files go to the `io`. UNSUPPORTED for other types.
 */
export async function openCatalog(properties: CatalogProperties, options: OpenCatalogOptions): Promise<Catalog> {
  if (options?.io === undefined) {
    throw invalidArgument(
      "A catalog needs to reach its files: openCatalog(properties, { io }), with `s3FileIO` of '@lh/io-s3' or a FileIO.",
    );
  }
  const type = typeOf(properties);
  const open = Object.hasOwn(OPENERS, type) ? OPENERS[type] : undefined;
  if (!open) {
    const known = Object.keys(OPENERS).join("', '");
    throw unsupported(`There is no catalog of type '${type}' here; these are: '${known}'.`);
  }
  return open(properties, options);
}

/**
 * The settings of one catalog, out of those of a process or of Spark: `PYICEBERG_CATALOG__PROD__S3__ACCESS_KEY_ID` and
 * `spark.sql.catalog.prod.s3.access-key-id` are `s3.access-key-id` of `prod`. Call it with `process.env`.
 */
export function catalogProperties(
  name: string,
  settings: Readonly<Record<string, string | undefined>>,
): CatalogProperties {
  const variable = `pyiceberg_catalog__${name.toLowerCase()}__`;
  const entry = `spark.sql.catalog.${name}.`;
  const found: [string, string][] = [];
  for (const [key, value] of Object.entries(settings)) {
    if (value === undefined) continue;
    if (key.startsWith(entry)) found.push([key.slice(entry.length), value]);
    else if (key.toLowerCase().startsWith(variable)) found.push([spelledAsVariable(key.slice(variable.length)), value]);
  }
  return Object.fromEntries(found);
}

/** PyIceberg: two underscores are a dot, one is a dash. */
function spelledAsVariable(text: string): string {
  return text.toLowerCase().replaceAll('__', '.').replaceAll('_', '-');
}

type Open = (properties: CatalogProperties, options: OpenCatalogOptions) => Promise<Catalog>;

const OPENERS: Readonly<Record<string, Open>> = {
  rest: openRest,
  hadoop: openFileSystem,
  'file-system': openFileSystem,
  'in-memory': openMemory,
};

/** Spark may name a class instead, and PyIceberg tells by the URI. */
function typeOf(properties: CatalogProperties): string {
  const { type, uri = '', 'catalog-impl': implementation } = properties;
  if (type !== undefined) return type.toLowerCase();
  if (implementation !== undefined) {
    const named = /\.(rest|hadoop|inmemory)\.\w+$/.exec(implementation)?.[1];
    return named === 'inmemory' ? 'in-memory' : (named ?? implementation);
  }
  if (/^https?:/i.test(uri)) return 'rest';
  throw invalidArgument("A catalog needs its 'type': 'rest', 'hadoop' (a file system) or 'in-memory'.");
}

async function openFileSystem(properties: CatalogProperties, options: OpenCatalogOptions): Promise<Catalog> {
  const { warehouse } = properties;
  if (warehouse === undefined) throw invalidArgument("A catalog of type 'hadoop' needs its 'warehouse': a directory.");
  const { io, name, runtime, reporter, writer } = options;
  return FileSystemCatalog.open({ io: ioFor(io, warehouse, properties), warehouse, name, runtime, reporter, writer });
}

async function openMemory(properties: CatalogProperties, options: OpenCatalogOptions): Promise<Catalog> {
  const { io, name, runtime, reporter, writer } = options;
  const { warehouse = 'memory://warehouse' } = properties;
  return new MemoryCatalog({ io: ioFor(io, warehouse, properties), warehouse, name, runtime, reporter, writer });
}

function ioFor(io: FileIO | FileIOFactory, location: string, properties: CatalogProperties): FileIO {
  return typeof io === 'function' ? io({ location, properties, credentials: null }) : io;
}

async function openRest(properties: CatalogProperties, options: OpenCatalogOptions): Promise<Catalog> {
  const { uri, warehouse, prefix, token, credential } = properties;
  if (uri === undefined) throw invalidArgument("A catalog of type 'rest' needs the 'uri' of its server.");
  checkAuthType(properties);
  const oauth2 = {
    serverUri: properties['oauth2-server-uri'],
    scope: properties['scope'],
    audience: properties['audience'],
    resource: properties['resource'],
  };
  const sigV4 = sigV4Of(properties);
  const pageSize = properties['rest-page-size'];
  return RestCatalog.open({
    ...options,
    uri,
    warehouse,
    prefix,
    token,
    credential,
    ...(Object.values(oauth2).some((value) => value !== undefined) && { oauth2 }),
    ...(sigV4 && { sigV4 }),
    headers: headersOf(properties),
    properties,
    ...(pageSize !== undefined && { pageSize: Number(pageSize) }),
    reportMetrics: properties['rest-metrics-reporting-enabled']?.toLowerCase() !== 'false',
  });
}

/** What Iceberg Java calls `rest.auth.type`; other kinds of ours follow from what is given. */
function checkAuthType(properties: CatalogProperties): void {
  const type = properties['rest.auth.type']?.toLowerCase() ?? 'none';
  if (['none', 'oauth2', 'sigv4'].includes(type)) return;
  throw unsupported(
    `rest.auth.type '${type}' can't be set by a property: open a RestCatalog with \`auth\` or \`headers\`.`,
  );
}

function headersOf(properties: CatalogProperties): Record<string, string> {
  const headers = Object.entries(properties).filter(([name]) => name.startsWith('header.'));
  return Object.fromEntries(headers.map(([name, value]) => [name.slice('header.'.length), value]));
}

/** The keys of the catalog, or those of everything, or those of S3. */
function sigV4Of(properties: CatalogProperties): SigV4Options | null {
  const isWanted = properties['rest.sigv4-enabled'] === 'true' || properties['rest.auth.type'] === 'sigv4';
  if (!isWanted) return null;
  const read = (name: string): string | undefined =>
    properties[`rest.${name}`] ?? properties[`client.${name}`] ?? properties[`s3.${name}`];
  const [accessKeyId, secretAccessKey] = [read('access-key-id'), read('secret-access-key')];
  const region = properties['rest.signing-region'] ?? properties['client.region'] ?? properties['s3.region'];
  if (accessKeyId === undefined || secretAccessKey === undefined || region === undefined) {
    throw invalidArgument(
      "rest.sigv4-enabled needs 'rest.signing-region', 'rest.access-key-id' and 'rest.secret-access-key'; for keys of other kinds open a RestCatalog with `sigV4`.",
    );
  }
  const credentials = { accessKeyId, secretAccessKey, sessionToken: read('session-token') };
  return { service: properties['rest.signing-name'] ?? 'execute-api', region, credentials };
}
