import { valueEncoder, type ValueEncoder } from '../formats/avro/encode-values.ts';
import { toAvroSchema, type AvroJson } from '../formats/avro/iceberg-schema.ts';
import { stringifyJson } from '../spec/json.ts';
import type { ManifestContent } from '../spec/manifest.ts';
import { partitionFieldsToJson } from '../spec/partition-spec-json.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import { schemaToJson } from '../spec/schema-json.ts';
import type { Schema } from '../spec/schema.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import type { StructType } from '../spec/types.ts';
import { manifestEntryType } from './manifest-schema.ts';
import { partitionType } from './partition-type.ts';

/** What the form of a manifest depends on. */
export interface ManifestForm {
  readonly formatVersion: FormatVersion;
  /** The table's schema, which goes into the header. */
  readonly schema: Schema;
  /** Older schemas of the table, for partition fields whose source column has been dropped since. */
  readonly otherSchemas?: readonly Schema[];
  /** The spec of all files of the manifest. */
  readonly spec: PartitionSpec;
  readonly content: ManifestContent;
}

/** How manifests of a form are written. */
export interface ManifestFormat {
  readonly partition: StructType;
  readonly entry: StructType;
  readonly encode: ValueEncoder;
  readonly avroSchema: AvroJson;
  readonly header: Readonly<Record<string, string>>;
}

interface Known {
  readonly form: ManifestForm;
  readonly format: ManifestFormat;
}

/** By content; of each spec the last one: a table that is written to often has the same schema most of the time. */
const known: Readonly<Record<ManifestContent, WeakMap<PartitionSpec, Known>>> = {
  data: new WeakMap(),
  deletes: new WeakMap(),
};

export function manifestFormat(form: ManifestForm): ManifestFormat {
  const { spec, content, schema, otherSchemas, formatVersion } = form;
  const last = known[content].get(spec);
  const fits =
    last?.form.schema === schema &&
    last.form.otherSchemas === otherSchemas &&
    last.form.formatVersion === formatVersion;
  if (fits) return last.format;
  const format = makeFormat(form);
  known[content].set(spec, { form, format });
  return format;
}

function makeFormat({ formatVersion, schema, otherSchemas = [], spec, content }: ManifestForm): ManifestFormat {
  const partition = partitionType(spec, [schema, ...otherSchemas]);
  const entry = manifestEntryType(formatVersion, withFixedAsBytes(partition));
  return {
    partition,
    entry,
    encode: valueEncoder(entry),
    avroSchema: toAvroSchema(entry, 'manifest_entry'),
    header: {
      schema: stringifyJson(schemaToJson(schema)),
      'schema-id': String(schema.schemaId),
      'partition-spec': stringifyJson(partitionFieldsToJson(spec.fields)),
      'partition-spec-id': String(spec.specId),
      'format-version': String(formatVersion),
      ...(formatVersion > 1 && { content }),
    },
  };
}

/**
 * The specification stores `fixed` as Avro's fixed, but Iceberg Java (1.12) looks for a length before it. Bytes are read
 * alike by Java, PyIceberg and DuckDB.
 */
function withFixedAsBytes({ kind, fields }: StructType): StructType {
  return {
    kind,
    fields: fields.map((field) => (field.type.kind === 'fixed' ? { ...field, type: { kind: 'binary' } } : field)),
  };
}
