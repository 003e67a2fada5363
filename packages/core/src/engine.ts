/**
 * Building blocks for an engine that runs queries itself and needs Iceberg's exact types, values and expressions:
 * `@lh/sql` is made of these. Applications use `@lh/core`.
 */
export { JsonNumber, parseJson } from './spec/json.ts';
export type { JsonObject, JsonValue } from './spec/json.ts';
