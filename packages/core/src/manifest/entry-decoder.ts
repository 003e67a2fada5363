import { invalidData } from '../errors.ts';
import type { FileMetrics } from '../expr/metrics-evaluator.ts';
import type { AvroReader } from '../formats/avro/avro-reader.ts';
import type { AvroField, AvroRecord, AvroType } from '../formats/avro/avro-schema.ts';
import { valueDecoder, type ValueDecoder } from '../formats/avro/decode-values.ts';
import { fromAvroType } from '../formats/avro/iceberg-schema.ts';
import { skipper, type Skipper } from '../formats/avro/skip-values.ts';
import type { FileContent } from '../spec/data-file.ts';
import type { PartitionField, PartitionSpec, PartitionTuple } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import type { PrimitiveType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { ByteArena } from './byte-arena.ts';
import { ENTRY_FIELD, FILE_FIELD } from './manifest-schema.ts';
import { partitionFieldType } from './partition-type.ts';
import type { StatsColumns } from './stats-columns.ts';

/** The codes of `status` (spec: "Manifest Entry Fields"). */
export const STATUS = { existing: 0, added: 1, deleted: 2 } as const;

/** By the codes of `content` (spec: "Data File Fields"). */
export const CONTENTS: readonly FileContent[] = ['data', 'position-deletes', 'equality-deletes'];

/** An entry as stored: nothing inherited, the path still bytes. */
export class EntryState implements FileMetrics {
  status = -1;
  snapshotId: bigint | null = null;
  sequenceNumber: bigint | null = null;
  fileSequenceNumber: bigint | null = null;
  content: FileContent = 'data';
  pathStart = 0;
  pathEnd = 0;
  format = '';
  partition: PartitionTuple = [];
  recordCount = 0;
  fileSizeInBytes = 0;
  columnSizes: ReadonlyMap<number, number> | null = null;
  valueCounts: ReadonlyMap<number, number> | null = null;
  nullValueCounts: ReadonlyMap<number, number> | null = null;
  nanValueCounts: ReadonlyMap<number, number> | null = null;
  lowerBounds: ReadonlyMap<number, Uint8Array> | null = null;
  upperBounds: ReadonlyMap<number, Uint8Array> | null = null;
  keyMetadata: Uint8Array | null = null;
  splitOffsets: readonly number[] | null = null;
  equalityIds: readonly number[] | null = null;
  sortOrderId: number | null = null;
  firstRowId: bigint | null = null;
  referencedDataFile: string | null = null;
  contentOffset: number | null = null;
  contentSizeInBytes: number | null = null;
  /** The partition did not match, or the entry is deleted and only live ones are wanted: statistics are skipped. */
  rejected = false;
}

export interface EntryProjection {
  readonly spec: PartitionSpec;
  /** Where the sources of partition fields are looked up. */
  readonly schemas: readonly Schema[];
  readonly stats: StatsColumns;
  readonly liveOnly: boolean;
  readonly matchesPartition: ((tuple: PartitionTuple) => boolean) | null;
}

type Step = (reader: AvroReader, state: EntryState) => void;

/**
 * Compiles a decoder for the entries of one manifest out of the schema that it was written with: fields are found by
 * id, in whatever order they come, and what isn't asked for is skipped.
 */
export function entryDecoder(
  writer: AvroType,
  projection: EntryProjection,
  location: string,
): (reader: AvroReader) => EntryState {
  return new EntryCompiler(projection, location).entry(writer);
}

class EntryCompiler {
  readonly #projection: EntryProjection;
  readonly #location: string;
  readonly #arena = new ByteArena();

  constructor(projection: EntryProjection, location: string) {
    this.#projection = projection;
    this.#location = location;
  }

  entry(writer: AvroType): (reader: AvroReader) => EntryState {
    const record = this.#record(writer, 'manifest_entry');
    this.#requireFields(record, { status: ENTRY_FIELD.status, data_file: ENTRY_FIELD.dataFile });
    const steps = record.fields.map((field) => this.#entryStep(field));
    return (reader) => {
      const state = new EntryState();
      for (const step of steps) step(reader, state);
      reader.checkEnd();
      return state;
    };
  }

  #entryStep(field: AvroField): Step {
    switch (field.fieldId) {
      case ENTRY_FIELD.status:
        return this.#integer(field, (state, value) => (state.status = value));
      case ENTRY_FIELD.snapshotId:
        return this.#long(field, (state, value) => (state.snapshotId = value));
      case ENTRY_FIELD.sequenceNumber:
        return this.#long(field, (state, value) => (state.sequenceNumber = value));
      case ENTRY_FIELD.fileSequenceNumber:
        return this.#long(field, (state, value) => (state.fileSequenceNumber = value));
      case ENTRY_FIELD.dataFile:
        return this.#dataFile(field.type);
      default:
        return skipper(field.type);
    }
  }

  #dataFile(type: AvroType): Step {
    const record = this.#record(type, 'data_file');
    const { spec, liveOnly } = this.#projection;
    this.#requireFields(record, {
      file_path: FILE_FIELD.filePath,
      file_format: FILE_FIELD.fileFormat,
      ...(spec.fields.length > 0 && { partition: FILE_FIELD.partition }),
      record_count: FILE_FIELD.recordCount,
      file_size_in_bytes: FILE_FIELD.fileSizeInBytes,
    });
    const steps = record.fields.map((field) => this.#fileStep(field));
    const skip = skipper(record);
    const decode: Step = (reader, state) => {
      if (liveOnly && state.status === STATUS.deleted) {
        state.rejected = true;
        skip(reader);
      } else {
        for (const step of steps) step(reader, state);
      }
    };
    return this.#present(type, decode, 'data_file');
  }

  #fileStep(field: AvroField): Step {
    const handler = field.fieldId === null ? undefined : this.#fileHandlers[field.fieldId];
    return handler ? handler(field) : skipper(field.type);
  }

  readonly #fileHandlers: Readonly<Record<number, (field: AvroField) => Step>> = {
    [FILE_FIELD.content]: (field) => this.#content(field),
    [FILE_FIELD.filePath]: (field) => this.#path(field),
    [FILE_FIELD.fileFormat]: (field) => this.#text(field, (state, value) => (state.format = value)),
    [FILE_FIELD.partition]: (field) => this.#partition(field.type),
    [FILE_FIELD.recordCount]: (field) => this.#count(field, (state, value) => (state.recordCount = value)),
    [FILE_FIELD.fileSizeInBytes]: (field) => this.#count(field, (state, value) => (state.fileSizeInBytes = value)),
    [FILE_FIELD.columnSizes]: (field) => this.#counts(field, (state, value) => (state.columnSizes = value)),
    [FILE_FIELD.valueCounts]: (field) => this.#counts(field, (state, value) => (state.valueCounts = value)),
    [FILE_FIELD.nullValueCounts]: (field) => this.#counts(field, (state, value) => (state.nullValueCounts = value)),
    [FILE_FIELD.nanValueCounts]: (field) => this.#counts(field, (state, value) => (state.nanValueCounts = value)),
    [FILE_FIELD.lowerBounds]: (field) => this.#bounds(field, (state, value) => (state.lowerBounds = value)),
    [FILE_FIELD.upperBounds]: (field) => this.#bounds(field, (state, value) => (state.upperBounds = value)),
    [FILE_FIELD.keyMetadata]: (field) =>
      this.#value(field, { kind: 'binary' }, (state, value) => (state.keyMetadata = value as Uint8Array | null)),
    [FILE_FIELD.splitOffsets]: (field) => this.#numbers(field, (state, value) => (state.splitOffsets = value)),
    [FILE_FIELD.equalityIds]: (field) => this.#numbers(field, (state, value) => (state.equalityIds = value)),
    [FILE_FIELD.sortOrderId]: (field) => this.#integer(field, (state, value) => (state.sortOrderId = value)),
    [FILE_FIELD.firstRowId]: (field) => this.#long(field, (state, value) => (state.firstRowId = value)),
    [FILE_FIELD.referencedDataFile]: (field) => this.#text(field, (state, value) => (state.referencedDataFile = value)),
    [FILE_FIELD.contentOffset]: (field) => this.#count(field, (state, value) => (state.contentOffset = value)),
    [FILE_FIELD.contentSizeInBytes]: (field) =>
      this.#count(field, (state, value) => (state.contentSizeInBytes = value)),
  };

  #content(field: AvroField): Step {
    this.#expect(field, ['int', 'long']);
    return optional(field.type, (reader, state) => {
      const code = reader.readInt();
      const content = CONTENTS[code];
      if (content === undefined) throw reader.invalid(`an entry has the content ${code}`);
      state.content = content;
    });
  }

  /** Only where it is: it is made text when the entry turns out to be wanted. */
  #path(field: AvroField): Step {
    this.#expect(field, ['string']);
    return this.#present(
      field.type,
      (reader, state) => {
        const length = reader.readLength();
        state.pathStart = reader.position;
        reader.skip(length);
        state.pathEnd = reader.position;
      },
      field.name,
    );
  }

  #partition(type: AvroType): Step {
    const { spec, matchesPartition } = this.#projection;
    const record = this.#record(type, 'partition');
    const steps = record.fields.map((field): { slot: number; decode: ValueDecoder } | Skipper => {
      const slot = partitionSlot(spec, field);
      if (slot < 0) return skipper(field.type);
      return { slot, decode: valueDecoder(field.type, this.#partitionType(spec.fields[slot]!, field), this.#location) };
    });
    const missing = spec.fields.find(
      (field, slot) =>
        field.transform.kind !== 'void' && !record.fields.some((written) => partitionSlot(spec, written) === slot),
    );
    if (missing) throw this.#invalid(`its partition tuples lack the field '${missing.name}' of spec ${spec.specId}`);
    const decode: Step = (reader, state) => {
      const tuple: Value[] = spec.fields.map(() => null);
      for (const step of steps) {
        if (typeof step === 'function') step(reader);
        else tuple[step.slot] = step.decode(reader);
      }
      state.partition = tuple;
      if (matchesPartition !== null && !matchesPartition(tuple)) state.rejected = true;
    };
    return this.#present(type, decode, 'partition');
  }

  /** By the table's schemas; where these don't tell, as it was written. */
  #partitionType(field: PartitionField, written: AvroField): PrimitiveType {
    const type = partitionFieldType(field, this.#projection.schemas) ?? fromAvroType(written.type);
    if (type === null) throw this.#invalid(`the partition field '${field.name}' is no primitive value`);
    return type;
  }

  #integer(field: AvroField, set: (state: EntryState, value: number) => void): Step {
    this.#expect(field, ['int', 'long']);
    return optional(field.type, (reader, state) => set(state, reader.readInt()));
  }

  #long(field: AvroField, set: (state: EntryState, value: bigint) => void): Step {
    this.#expect(field, ['int', 'long']);
    return optional(field.type, (reader, state) => set(state, reader.readLong()));
  }

  #count(field: AvroField, set: (state: EntryState, value: number) => void): Step {
    this.#expect(field, ['int', 'long']);
    const { name } = field;
    return optional(field.type, (reader, state) => {
      const value = reader.readNumber();
      if (value < 0) throw reader.invalid(`an entry has the ${name} ${value}`);
      set(state, value);
    });
  }

  #text(field: AvroField, set: (state: EntryState, value: string) => void): Step {
    this.#expect(field, ['string']);
    return optional(field.type, (reader, state) => set(state, reader.readString()));
  }

  #value(field: AvroField, type: PrimitiveType, set: (state: EntryState, value: Value) => void): Step {
    const decode = valueDecoder(field.type, type, this.#location);
    return (reader, state) => set(state, decode(reader));
  }

  #numbers(field: AvroField, set: (state: EntryState, value: readonly number[]) => void): Step {
    const items = this.#expect(field, ['array']);
    if (items.kind !== 'array' || (items.items.kind !== 'int' && items.items.kind !== 'long')) {
      throw this.#invalid(`its ${field.name} are no integers`);
    }
    return optional(field.type, (reader, state) => {
      const values: number[] = [];
      for (let count = reader.readBlockCount(); count > 0; count = reader.readBlockCount()) {
        for (let i = 0; i < count; i++) values.push(reader.readNumber());
      }
      set(state, values);
    });
  }

  /** A count below zero is how some writers say that they don't know: it is left out. */
  #counts(field: AvroField, set: (state: EntryState, value: ReadonlyMap<number, number>) => void): Step {
    return this.#statistics<number>(
      field,
      ['int', 'long'],
      (reader) => reader.readNumber(),
      (value) => value >= 0,
      set,
    );
  }

  #bounds(field: AvroField, set: (state: EntryState, value: ReadonlyMap<number, Uint8Array>) => void): Step {
    const arena = this.#arena;
    return this.#statistics<Uint8Array>(
      field,
      ['bytes'],
      (reader) => arena.copy(reader.readBytes()),
      () => true,
      set,
    );
  }

  #statistics<T>(
    field: AvroField,
    kinds: readonly AvroType['kind'][],
    read: (reader: AvroReader) => T,
    known: (value: T) => boolean,
    set: (state: EntryState, value: ReadonlyMap<number, T>) => void,
  ): Step {
    const { stats } = this.#projection;
    const skipAll = skipper(field.type);
    if (stats === 'none' || (stats !== 'all' && stats.size === 0)) return skipAll;
    const pair = this.#statisticsPair(field, kinds);
    const skipValue = skipper(pair);
    const decode = optional(field.type, (reader, state) => {
      const values = new Map<number, T>();
      for (let count = reader.readBlockCount(); count > 0; count = reader.readBlockCount()) {
        for (let i = 0; i < count; i++) {
          const column = reader.readInt();
          if (stats !== 'all' && !stats.has(column)) {
            skipValue(reader);
            continue;
          }
          const value = read(reader);
          if (known(value)) values.set(column, value);
        }
      }
      set(state, values);
    });
    return (reader, state) => (state.rejected ? skipAll(reader) : decode(reader, state));
  }

  /** Checks that the field is a map from column id, and gives the type of its values. */
  #statisticsPair(field: AvroField, kinds: readonly AvroType['kind'][]): AvroType {
    const map = this.#expect(field, ['array']);
    const [key, value, ...others] = map.kind === 'array' && map.items.kind === 'record' ? map.items.fields : [];
    const integerKey = key?.type.kind === 'int' || key?.type.kind === 'long';
    if (!integerKey || !value || others.length > 0 || !kinds.includes(value.type.kind)) {
      throw this.#invalid(`its ${field.name} are no map from column id`);
    }
    return value.type;
  }

  /** The field's type without the null of a union. INVALID_DATA if it is none of the kinds. */
  #expect(field: AvroField, kinds: readonly AvroType['kind'][]): AvroType {
    const type = withoutNull(field.type);
    if (!type || !kinds.includes(type.kind))
      throw this.#invalid(`its field ${field.name} is of Avro's type ${type?.kind ?? 'union'}`);
    return type;
  }

  #record(type: AvroType, what: string): AvroRecord {
    const record = withoutNull(type);
    if (record?.kind !== 'record') throw this.#invalid(`its ${what} is no record`);
    return record;
  }

  #requireFields(record: AvroRecord, ids: Readonly<Record<string, number>>): void {
    for (const [name, id] of Object.entries(ids)) {
      if (!record.fields.some(({ fieldId }) => fieldId === id))
        throw this.#invalid(`its schema lacks the field ${name} (id ${id})`);
    }
  }

  /** A step for a field that must not be null even where the schema would let it be. */
  #present(type: AvroType, step: Step, name: string): Step {
    if (type.kind !== 'union') return step;
    const nullBranch = type.branches.findIndex(({ kind }) => kind === 'null');
    const count = type.branches.length;
    return (reader, state) => {
      if (reader.readBranch(count) === nullBranch) throw reader.invalid(`an entry's ${name} is null`);
      step(reader, state);
    };
  }

  #invalid(what: string): Error {
    return invalidData(`The manifest ${this.#location} can't be read: ${what}.`, { location: this.#location });
  }
}

/** A step that leaves the state's null where the file has null. */
function optional(type: AvroType, step: Step): Step {
  if (type.kind !== 'union') return step;
  const nullBranch = type.branches.findIndex(({ kind }) => kind === 'null');
  const count = type.branches.length;
  return (reader, state) => {
    if (reader.readBranch(count) !== nullBranch) step(reader, state);
  };
}

/** The other branch of a union with null, the only kind of union in Iceberg's files; null for another union. */
function withoutNull(type: AvroType): AvroType | null {
  if (type.kind !== 'union') return type;
  const branches = type.branches.filter(({ kind }) => kind !== 'null');
  return branches.length === 1 ? branches[0]! : null;
}

/** By field id; by name in files without ids. */
function partitionSlot(spec: PartitionSpec, written: AvroField): number {
  return spec.fields.findIndex((field) =>
    written.fieldId === null ? field.name === written.name : field.fieldId === written.fieldId,
  );
}
