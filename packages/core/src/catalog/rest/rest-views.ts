import { invalidData } from '../../errors.ts';
import { asObject, asString, required } from '../../spec/json-fields.ts';
import type { JsonValue } from '../../spec/json.ts';
import { rootPlace } from '../../spec/place.ts';
import { schemaToJson } from '../../spec/schema-json.ts';
import type { Schema } from '../../spec/schema.ts';
import type { ViewMetadata, ViewVersion } from '../../spec/view-metadata.ts';
import { viewMetadataFromJson, viewVersionToJson } from '../../spec/view-metadata-json.ts';
import type { Identifier } from '../catalog.ts';
import { createdMetadata } from '../created-metadata.ts';
import { identifierLevels, identifierText, tableLevels } from '../identifier.ts';
import { asIdentifier } from './load-table-result.ts';
import { exists } from './exists.ts';
import type { RestSession } from './rest-session.ts';

export interface ViewOptions {
  /** The columns that the query gives. */
  readonly schema: Schema;
  /** The query by dialect: `{ duckdb: 'SELECT …', spark: 'SELECT …' }`. */
  readonly sql: Readonly<Record<string, string>>;
  /** For tables in the query that are named without a namespace; that of the view if left out. */
  readonly defaultNamespace?: Identifier;
  readonly defaultCatalog?: string;
  readonly location?: string;
  readonly properties?: Readonly<Record<string, string>>;
}

/** A view as it was loaded. */
export interface View {
  /** The full name in its catalog. */
  readonly name: string;
  readonly metadata: ViewMetadata;
  readonly metadataLocation: string;
  /** What is current of the metadata. */
  readonly version: ViewVersion;
  readonly schema: Schema;
}

/** The views of a REST catalog. UNSUPPORTED if the server has none. */
export class RestViews {
  readonly #session: RestSession;

  constructor(session: RestSession) {
    this.#session = session;
  }

  async list(namespace: Identifier): Promise<readonly string[][]> {
    const levels = identifierLevels(namespace);
    const call = { namespace: levels, doing: `list the views of ${identifierText(levels)}` };
    return this.#session.list('listViews', call, { key: 'identifiers', item: asIdentifier });
  }

  async exists(name: Identifier): Promise<boolean> {
    return exists(this.#session, ['viewExists', 'loadView'], { ...route(name), doing: `look for view ${text(name)}` });
  }

  async load(name: Identifier): Promise<View> {
    const { body } = await this.#session.call('loadView', { ...route(name), doing: `load view ${text(name)}` });
    return viewFrom(body, name);
  }

  /** ALREADY_EXISTS if there is a view or table of this name. */
  async create(name: Identifier, options: ViewOptions): Promise<View> {
    const { namespace, view } = route(name);
    const { location, properties = {} } = options;
    const body = {
      name: view,
      schema: schemaToJson(this.#schemaOf(options)),
      'view-version': viewVersionToJson(this.#versionOf(options, namespace, 0)),
      properties,
      ...(location !== undefined && { location }),
    };
    const answer = await this.#session.call('createView', { namespace, doing: `create view ${text(name)}`, body });
    return viewFrom(answer.body, name);
  }

  /**
   * Gives a view another query, as its next version. COMMIT_CONFLICT if another view has taken its place meanwhile.
   * Servers may refuse to lose a dialect that the view had.
   */
  async replace(name: Identifier, options: Omit<ViewOptions, 'location'>): Promise<View> {
    const { metadata } = await this.load(name);
    const { namespace, view } = route(name);
    const { properties = {} } = options;
    const body = {
      identifier: { namespace, name: view },
      requirements: [{ type: 'assert-view-uuid', uuid: metadata.viewUuid }],
      updates: [
        ...(Object.keys(properties).length > 0 ? [{ action: 'set-properties', updates: properties }] : []),
        { action: 'add-schema', schema: schemaToJson(this.#schemaOf(options)) },
        // -1 is the schema, and the version, that has just been added.
        { action: 'add-view-version', 'view-version': viewVersionToJson(this.#versionOf(options, namespace, -1)) },
        { action: 'set-current-view-version', 'view-version-id': -1 },
      ],
    };
    const answer = await this.#session.call('replaceView', {
      namespace,
      view,
      doing: `replace view ${text(name)}`,
      body,
    });
    return viewFrom(answer.body, name);
  }

  async rename(from: Identifier, to: Identifier): Promise<void> {
    const [source, destination] = [route(from), route(to)].map(({ namespace, view }) => ({ namespace, name: view }));
    const doing = `rename view ${text(from)} to ${text(to)}`;
    await this.#session.call('renameView', { doing, body: { source, destination } });
  }

  async drop(name: Identifier): Promise<void> {
    await this.#session.call('dropView', { ...route(name), doing: `drop view ${text(name)}` });
  }

  /** Columns get their ids as those of a table do. */
  #schemaOf({ schema }: Pick<ViewOptions, 'schema'>): Schema {
    const { runtime } = this.#session.settings;
    const [given] = createdMetadata({ schema, formatVersion: 3 }, 'view', runtime).schemas;
    if (given === undefined) throw invalidData('A view needs a schema.');
    return given;
  }

  #versionOf(options: ViewOptions, namespace: readonly string[], schemaId: number): ViewVersion {
    return {
      // The server gives the next one.
      versionId: 1,
      schemaId,
      timestampMs: this.#session.settings.runtime.now(),
      summary: { 'engine-name': 'lakehouse' },
      representations: Object.entries(options.sql).map(([dialect, sql]) => ({ type: 'sql', sql, dialect })),
      defaultCatalog: options.defaultCatalog ?? null,
      defaultNamespace: options.defaultNamespace === undefined ? namespace : identifierLevels(options.defaultNamespace),
    };
  }
}

function viewFrom(body: JsonValue, name: Identifier): View {
  const place = rootPlace('response');
  const object = asObject(body, place);
  const metadata = required(object, 'metadata', viewMetadataFromJson, place);
  const version = metadata.versions.find(({ versionId }) => versionId === metadata.currentVersionId);
  const schema = metadata.schemas.find(({ schemaId }) => schemaId === version?.schemaId);
  if (!version || !schema) throw invalidData(`The metadata of view ${text(name)} lacks its current version.`);
  return {
    name: text(name),
    metadata,
    metadataLocation: required(object, 'metadata-location', asString, place),
    version,
    schema,
  };
}

function route(name: Identifier): { readonly namespace: readonly string[]; readonly view: string } {
  const { namespace, name: view } = tableLevels(name);
  return { namespace, view };
}

function text(name: Identifier): string {
  return identifierText(identifierLevels(name));
}
