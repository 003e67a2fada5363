import { asList, asObject, asString, asStringRecord, optional } from '../../spec/json-fields.ts';
import type { JsonValue } from '../../spec/json.ts';
import { rootPlace } from '../../spec/place.ts';
import { supportedEndpoints, type EndpointName, type RouteStyle } from './endpoints.ts';

/** What a server says of itself (REST specification: "CatalogConfig"), and what follows from it. */
export interface ServerConfig {
  /** The server's defaults, over them the user's settings, over these what the server insists on. */
  readonly properties: Readonly<Record<string, string>>;
  readonly endpoints: ReadonlySet<EndpointName>;
  readonly style: RouteStyle;
  /** The server remembers the keys of requests, so that they may be repeated. */
  readonly idempotencyKeys: boolean;
}

/** The unit separator, encoded: between the levels of a namespace unless the server says otherwise. */
const DEFAULT_SEPARATOR = '%1F';

export function serverConfig(body: JsonValue, own: Readonly<Record<string, string>>): ServerConfig {
  const place = rootPlace('config');
  const object = asObject(body, place);
  const properties = {
    ...optional(object, 'defaults', asStringRecord, place, {}),
    ...own,
    ...optional(object, 'overrides', asStringRecord, place, {}),
  };
  return {
    properties,
    endpoints: supportedEndpoints(optional(object, 'endpoints', asList(asString), place, null)),
    style: {
      prefix: (properties['prefix'] ?? '').replaceAll(/^\/+|\/+$/g, ''),
      separator: properties['namespace-separator'] ?? DEFAULT_SEPARATOR,
    },
    idempotencyKeys: optional(object, 'idempotency-key-lifetime', asString, place, null) !== null,
  };
}
