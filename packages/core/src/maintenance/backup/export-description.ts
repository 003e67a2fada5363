import { invalidData } from '../../errors.ts';
import { parseJson, stringifyJson } from '../../spec/json.ts';
import { asObject, asSafeInteger, asString, required } from '../../spec/json-fields.ts';
import { rootPlace } from '../../spec/place.ts';

/** What is in the directory of an export besides the table. */
export const EXPORT_FILE = 'export.json';
export const CHECKSUMS_FILE = 'SHA256SUMS';

export interface ExportDescription {
  readonly tableUuid: string;
  /** Of the export when it was made, which the paths in it begin with. */
  readonly location: string;
  /** Where the table was. */
  readonly tableLocation: string;
  /** Relative to the export. */
  readonly metadataFile: string;
  readonly files: number;
  readonly bytes: number;
  /** Of `SHA256SUMS`. */
  readonly checksumsSha256: string;
}

const VERSION = 1;

export const exportDescription = {
  encode: (description: ExportDescription): Uint8Array =>
    new TextEncoder().encode(
      `${stringifyJson({
        'export-version': VERSION,
        'table-uuid': description.tableUuid,
        location: description.location,
        'table-location': description.tableLocation,
        'metadata-file': description.metadataFile,
        files: description.files,
        bytes: description.bytes,
        'checksums-sha256': description.checksumsSha256,
      })}\n`,
    ),

  /** INVALID_DATA for what `encode` has not made. */
  decode: (bytes: Uint8Array): ExportDescription => {
    const place = rootPlace('export');
    const object = asObject(parseJson(new TextDecoder().decode(bytes)), place);
    const version = required(object, 'export-version', asSafeInteger, place);
    if (version !== VERSION) throw invalidData(`The export has version ${version}; only ${VERSION} can be read.`);
    return {
      tableUuid: required(object, 'table-uuid', asString, place),
      location: required(object, 'location', asString, place),
      tableLocation: required(object, 'table-location', asString, place),
      metadataFile: required(object, 'metadata-file', asString, place),
      files: required(object, 'files', asSafeInteger, place),
      bytes: required(object, 'bytes', asSafeInteger, place),
      checksumsSha256: required(object, 'checksums-sha256', asString, place),
    };
  },
};
