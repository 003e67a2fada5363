import {
  asList,
  asObject,
  asString,
  asStringRecord,
  optional,
  required,
  type JsonReader,
} from '../../spec/json-fields.ts';
import { checkTableMetadata } from '../../spec/check-metadata.ts';
import { invalidData, isLakehouseError, LakehouseError } from '../../errors.ts';
import type { JsonValue } from '../../spec/json.ts';
import { rootPlace } from '../../spec/place.ts';
import { tableMetadataFromJson } from '../../spec/table-metadata-json.ts';
import type { LoadedMetadata } from '../catalog.ts';

/** Credentials for all that lies below a prefix (REST specification: "StorageCredential"). */
export interface StorageCredential {
  readonly prefix: string;
  readonly config: Readonly<Record<string, string>>;
}

/** What a server says of a table besides its metadata (REST specification: "LoadTableResult"). */
export interface TableConfig {
  readonly config: Readonly<Record<string, string>>;
  readonly credentials: readonly StorageCredential[];
}

const PLACE = rootPlace('response');

/** A table as a server gives it. What was `known` before comes back as it was, if it still is the same version. */
export function loadedFrom(body: JsonValue, table: string, known: LoadedMetadata | null = null): LoadedMetadata {
  const object = asObject(body, PLACE);
  const metadataLocation = optional(object, 'metadata-location', asString, PLACE, '');
  if (known !== null && metadataLocation !== '' && metadataLocation === known.metadataLocation) return known;
  try {
    const metadata = required(object, 'metadata', tableMetadataFromJson, PLACE);
    checkTableMetadata(metadata);
    return { metadata, metadataLocation };
  } catch (error) {
    if (!isLakehouseError(error)) throw error;
    const { code, message, cause } = error;
    throw new LakehouseError(code, `The metadata of table ${table} can't be read: ${message}`, {
      context: { table, location: metadataLocation },
      cause,
    });
  }
}

export function tableConfigFrom(body: JsonValue): TableConfig {
  const object = asObject(body, PLACE);
  return { config: optional(object, 'config', asStringRecord, PLACE, {}), credentials: storageCredentialsFrom(body) };
}

export function storageCredentialsFrom(body: JsonValue): readonly StorageCredential[] {
  return optional(asObject(body, PLACE), 'storage-credentials', asList(asStorageCredential), PLACE, []);
}

const asStorageCredential: JsonReader<StorageCredential> = (value, place) => {
  const object = asObject(value, place);
  return {
    prefix: required(object, 'prefix', asString, place),
    config: required(object, 'config', asStringRecord, place),
  };
};

/** A table's or view's identifier in a listing (REST specification: "TableIdentifier"). */
export const asIdentifier: JsonReader<string[]> = (value, place) => {
  const object = asObject(value, place);
  return [...required(object, 'namespace', asList(asString), place), required(object, 'name', asString, place)];
};

export const asNamespace: JsonReader<string[]> = (value, place) => {
  const levels = asList(asString)(value, place);
  if (levels.length === 0) throw invalidData('The REST catalog lists a namespace without a name.');
  return [...levels];
};
