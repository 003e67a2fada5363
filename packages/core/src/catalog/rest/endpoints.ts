import { invalidArgument, invalidData } from '../../errors.ts';

/** Every route that this client uses, by the name of its operation in the REST specification. */
export const ENDPOINTS = {
  listNamespaces: 'GET /v1/{prefix}/namespaces',
  createNamespace: 'POST /v1/{prefix}/namespaces',
  loadNamespace: 'GET /v1/{prefix}/namespaces/{namespace}',
  namespaceExists: 'HEAD /v1/{prefix}/namespaces/{namespace}',
  dropNamespace: 'DELETE /v1/{prefix}/namespaces/{namespace}',
  updateNamespace: 'POST /v1/{prefix}/namespaces/{namespace}/properties',
  listTables: 'GET /v1/{prefix}/namespaces/{namespace}/tables',
  createTable: 'POST /v1/{prefix}/namespaces/{namespace}/tables',
  loadTable: 'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  tableExists: 'HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  updateTable: 'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  dropTable: 'DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  renameTable: 'POST /v1/{prefix}/tables/rename',
  registerTable: 'POST /v1/{prefix}/namespaces/{namespace}/register',
  loadCredentials: 'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials',
  reportMetrics: 'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics',
  commitTransaction: 'POST /v1/{prefix}/transactions/commit',
  listViews: 'GET /v1/{prefix}/namespaces/{namespace}/views',
  createView: 'POST /v1/{prefix}/namespaces/{namespace}/views',
  loadView: 'GET /v1/{prefix}/namespaces/{namespace}/views/{view}',
  viewExists: 'HEAD /v1/{prefix}/namespaces/{namespace}/views/{view}',
  replaceView: 'POST /v1/{prefix}/namespaces/{namespace}/views/{view}',
  dropView: 'DELETE /v1/{prefix}/namespaces/{namespace}/views/{view}',
  renameView: 'POST /v1/{prefix}/views/rename',
} as const;

export type EndpointName = keyof typeof ENDPOINTS;

/** What a server can do that doesn't say so (REST specification: "List all catalog configuration settings"). */
export const DEFAULT_ENDPOINTS: readonly EndpointName[] = [
  'listNamespaces',
  'createNamespace',
  'loadNamespace',
  'dropNamespace',
  'updateNamespace',
  'listTables',
  'createTable',
  'loadTable',
  'updateTable',
  'dropTable',
  'registerTable',
  'reportMetrics',
  'renameTable',
  'commitTransaction',
];

/** What the server can do, of that which this client knows, by the list that the server gives. */
export function supportedEndpoints(listed: readonly string[] | null): ReadonlySet<EndpointName> {
  if (listed === null) return new Set(DEFAULT_ENDPOINTS);
  const said = new Set(listed.map((text) => text.trim()));
  const names = Object.keys(ENDPOINTS) as EndpointName[];
  return new Set(names.filter((name) => said.has(ENDPOINTS[name])));
}

/** The names that are put into a route. */
export interface RouteNames {
  readonly namespace?: readonly string[];
  readonly table?: string;
  readonly view?: string;
}

/** How this server's routes are written. */
export interface RouteStyle {
  /** Part of the path as it is: servers give it encoded. */
  readonly prefix: string;
  /** What is between the levels of a namespace, encoded. */
  readonly separator: string;
}

/** The route of an endpoint with names put in, to be added to the server's URI. INVALID_ARGUMENT for '.' and '..'. */
export function routePath(endpoint: EndpointName, names: RouteNames, style: RouteStyle): string {
  const [, template = ''] = ENDPOINTS[endpoint].split(' ');
  const values: Record<string, string | undefined> = {
    prefix: style.prefix,
    namespace: names.namespace && namespaceText(names.namespace, style),
    table: names.table === undefined ? undefined : encodeURIComponent(names.table),
    view: names.view === undefined ? undefined : encodeURIComponent(names.view),
  };
  return template
    .split('/')
    .map((part) => (part.startsWith('{') ? checked(values[part.slice(1, -1)] ?? missing(part)) : part))
    .filter((part, at) => part !== '' || at === 0)
    .join('/');
}

/** A namespace as one part of a path, or as the value of a query. */
export function namespaceText(levels: readonly string[], { separator }: RouteStyle): string {
  return levels.map(encodeURIComponent).join(separator);
}

/** A part of dots would lead to another route: dropping the table '..' would drop its namespace. */
function checked(part: string): string {
  if (!/^(?:\.|%2e){1,2}$/i.test(part)) return part;
  throw invalidArgument("'.' and '..' can't be names in a REST catalog: they mean something else in a path.");
}

function missing(part: string): never {
  throw invalidData(`The route of a request lacks ${part}.`);
}
