import { castFields } from '../columns/cast.ts';
import type { CastRules } from '../columns/cast.ts';
import type { Column } from '../columns/column.ts';
import { nullColumn } from '../columns/constant.ts';
import type { SourceField, SourceType } from '../columns/source-type.ts';
import { invalidData } from '../errors.ts';
import type { AvroReader } from '../formats/avro/avro-reader.ts';
import type { AvroType } from '../formats/avro/avro-schema.ts';
import { RecordDecoder } from '../formats/avro/column-decoders.ts';
import { avroFileFields } from '../formats/avro/file-fields.ts';
import type { AvroFileField } from '../formats/avro/file-fields.ts';
import { avroSourceField } from '../formats/avro/source-types.ts';
import { ENTRY_FIELD, FILE_FIELD } from '../manifest/manifest-schema.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import { statisticsDecoder } from './statistics-decoder.ts';
import type { IcebergType, NestedField, StructType, TypeKind } from '../spec/types.ts';

/** Without these an entry tells of no file. Everything else may be missing in some version. */
const REQUIRED_IDS: ReadonlySet<number> = new Set([
  ENTRY_FIELD.status,
  ENTRY_FIELD.dataFile,
  FILE_FIELD.filePath,
  FILE_FIELD.fileFormat,
  FILE_FIELD.recordCount,
  FILE_FIELD.fileSizeInBytes,
]);

const STATISTICS: ReadonlySet<number> = new Set([
  FILE_FIELD.columnSizes,
  FILE_FIELD.valueCounts,
  FILE_FIELD.nullValueCounts,
  FILE_FIELD.nanValueCounts,
  FILE_FIELD.lowerBounds,
  FILE_FIELD.upperBounds,
]);

/** The part of a manifest's entries that is wanted. */
export interface StoredPart {
  readonly type: StructType;
  /** Of maps from column id, by the id of their field: the columns that are wanted. All are of those that are missing. */
  readonly columns: ReadonlyMap<number, ReadonlySet<number>>;
}

/** Decodes the wanted part of a manifest's entries, record by record, straight into columns. */
export class StoredEntries {
  /** Records since the last `finish`. */
  length = 0;
  readonly #stored: StructType;
  readonly #decoder: RecordDecoder;
  readonly #sources: readonly SourceField[];
  readonly #rules: CastRules;

  /** The partition of `part` may be that of any spec, or of several. */
  constructor(writer: AvroType, location: string, spec: PartitionSpec, part: StoredPart) {
    const { type: stored, columns } = part;
    const fields = avroFileFields(writer, location);
    const found = new FieldMatcher(spec).match(stored, fields);
    const wanted = new Set(found.keys());
    this.#stored = stored;
    this.#decoder = new RecordDecoder(fields, {
      wanted,
      location,
      special: (field) => {
        const id = field.fieldId;
        return id !== null && STATISTICS.has(id) ? statisticsDecoder(field, columns.get(id) ?? null) : null;
      },
    });
    const find = (target: NestedField, source: readonly SourceField[]): number =>
      source.findIndex(({ id }) => found.get(id!) === target.id);
    this.#sources = fields
      .filter(({ index }) => wanted.has(index))
      .map((field) => withLogicalTypes(avroSourceField(field, wanted), stored, find));
    this.#rules = {
      mode: 'file',
      checkRequired: false,
      find,
      missing: ({ id, name, type }, length) => {
        if (!REQUIRED_IDS.has(id)) return nullColumn(type, length);
        throw invalidData(`The manifest ${location} can't be read: its schema lacks the field ${name} (id ${id}).`, {
          path: location,
        });
      },
      fail: (path, _, problem) => {
        throw invalidData(`The field '${path.join('.')}' of the manifest ${location} ${problem}.`, { path: location });
      },
    };
  }

  /** An estimate of what the columns take in memory so far. */
  get bytes(): number {
    return this.#decoder.bytes;
  }

  decode(reader: AvroReader): void {
    this.#decoder.decode(reader);
    reader.checkEnd();
    this.length++;
  }

  /** The columns of `stored`; then it starts again, empty. */
  finish(): readonly Column[] {
    const { length } = this;
    this.length = 0;
    return castFields(this.#stored, this.#sources, this.#decoder.finish(), length, this.#rules);
  }
}

/** Finds which field of a manifest is which, by id. Partition fields of old manifests may have none, but names. */
class FieldMatcher {
  readonly #spec: PartitionSpec;
  /** Ids by the index of the manifest's field. */
  readonly #found = new Map<number, number>();

  constructor(spec: PartitionSpec) {
    this.#spec = spec;
  }

  match(stored: StructType, fields: readonly AvroFileField[]): ReadonlyMap<number, number> {
    for (const target of stored.fields) {
      const field = fields.find(({ fieldId }) => fieldId === target.id);
      if (field) this.#add(target, field);
    }
    return this.#found;
  }

  #add(target: NestedField, field: AvroFileField): void {
    this.#found.set(field.index, target.id);
    const { shape } = field;
    if (target.id === FILE_FIELD.partition && shape.kind === 'struct') {
      this.#matchPartition(target.type as StructType, shape.fields);
    } else if (target.type.kind === 'struct' && shape.kind === 'struct') this.match(target.type, shape.fields);
    else this.#addParts(field);
  }

  /** A `void` field has nothing but nulls, of whatever type. */
  #matchPartition(partition: StructType, written: readonly AvroFileField[]): void {
    for (const target of partition.fields) {
      const field = this.#spec.fields.find(({ fieldId }) => fieldId === target.id);
      if (!field || field.transform.kind === 'void') continue;
      const found = written.find(({ fieldId, name }) =>
        fieldId === null ? name === field.name : fieldId === target.id,
      );
      if (found) this.#found.set(found.index, target.id);
    }
  }

  /** Lists and maps are wanted as a whole. */
  #addParts({ shape }: AvroFileField): void {
    const parts =
      shape.kind === 'struct'
        ? shape.fields
        : shape.kind === 'list'
          ? [shape.element]
          : shape.kind === 'map'
            ? [shape.key, shape.value]
            : [];
    for (const part of parts) {
      this.#found.set(part.index, part.fieldId ?? -1);
      this.#addParts(part);
    }
  }
}

type Find = CastRules['find'];

/** Some writers leave out what an int or a list of pairs stands for: then the type that is expected says it. */
function withLogicalTypes(source: SourceField, siblings: StructType, find: Find): SourceField {
  const target = siblings.fields.find((field) => find(field, [source]) === 0);
  return target ? { ...source, type: logicalType(source.type, target.type, find) } : source;
}

function logicalType(source: SourceType, target: IcebergType, find: Find): SourceType {
  if (source.kind === 'struct' && target.kind === 'struct') {
    return { kind: 'struct', fields: source.fields.map((field) => withLogicalTypes(field, target, find)) };
  }
  if (source.kind === 'list' && target.kind === 'map' && source.item.type.kind === 'struct') {
    const [key, value] = source.item.type.fields;
    return key && value ? { kind: 'map', key, value } : source;
  }
  return source.kind === 'int' ? (PLAIN_INTEGERS[target.kind] ?? source) : source;
}

const PLAIN_INTEGERS: { readonly [K in TypeKind]?: SourceType } = {
  date: { kind: 'date', unit: 'day' },
  time: { kind: 'time', unit: 'us' },
  timestamp: { kind: 'timestamp', unit: 'us', zoned: false },
  timestamptz: { kind: 'timestamp', unit: 'us', zoned: true },
  timestamp_ns: { kind: 'timestamp', unit: 'ns', zoned: false },
  timestamptz_ns: { kind: 'timestamp', unit: 'ns', zoned: true },
};
