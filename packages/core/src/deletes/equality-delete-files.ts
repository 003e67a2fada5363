import type { ColumnBatch } from '../columns/column.ts';
import { findColumn } from '../columns/find-column.ts';
import type { ColumnFinder } from '../columns/find-column.ts';
import { invalidData } from '../errors.ts';
import type { FileIO } from '../io/file-io.ts';
import type { DeleteFile, FileScanTask } from '../scan/file-scan-task.ts';
import { lookAhead } from '../scan/look-ahead.ts';
import { partitionKey } from '../scan/partition-key.ts';
import type { NameMapping } from '../spec/name-mapping.ts';
import type { Schema } from '../spec/schema.ts';
import { mergeFields, selectFields } from '../spec/select-fields.ts';
import { isPrimitive } from '../spec/types.ts';
import type { NestedField, StructType } from '../spec/types.ts';
import { EqualitySet } from './equality-set.ts';
import { RecentlyUsed } from './recently-used.ts';
import type { ReadRows } from './read-rows.ts';

/** Delete files that one task reads at a time. */
const CONCURRENCY = 8;

/** Equality deletes of one task that are on the same columns. */
export interface AppliedKeys {
  readonly columns: KeyFields;
  readonly keys: EqualitySet;
}

/** The columns that equality deletes compare. */
export class KeyFields {
  /** Field ids, ascending. */
  readonly ids: readonly number[];
  /** The part of a schema that they need, as delete files must have it. */
  readonly stored: StructType;
  /** The same, all of it optional: data files may lack a column that has been dropped. */
  readonly fields: StructType;

  constructor({ file, equalityFields }: DeleteFile, schema: Schema) {
    this.ids = (file.equalityIds ?? []).toSorted((a, b) => a - b);
    this.stored = equalityFields ?? selectFields(schema, new Set(this.ids));
    this.fields = optional(this.stored);
    for (const id of this.ids) {
      const found = findColumn(this.fields, id);
      if (found && isPrimitive(found.field.type) && found.field.type.kind !== 'variant') continue;
      const problem = found ? 'which has no equality' : 'which no schema of the table has';
      throw invalidData(`The equality delete ${file.path} is on the field id ${id}, ${problem}.`, { path: file.path });
    }
  }

  /** How a key's columns are found in batches of a schema that has these fields. */
  finders(schema: StructType): readonly ColumnFinder[] {
    return this.ids.map((id) => findColumn(schema, id)!.find);
  }
}

function optional(struct: StructType): StructType {
  const fields = struct.fields.map((field): NestedField => {
    const type = field.type.kind === 'struct' ? optional(field.type) : field.type;
    return { ...field, type, required: false };
  });
  return { kind: 'struct', fields };
}

/**
 * Knows which keys are deleted. All deletes of the same columns and partition go into one set, whose keys have sequence
 * numbers, as the data files of a scan need them: each delete file is read once for all.
 */
export class EqualityDeleteFiles {
  readonly #io: FileIO;
  readonly #readRows: ReadRows;
  readonly #maxBytes: number;
  readonly #groups: RecentlyUsed<Group>;

  constructor(io: FileIO, readRows: ReadRows, maxBytes: number) {
    this.#io = io;
    this.#readRows = readRows;
    this.#maxBytes = maxBytes;
    this.#groups = new RecentlyUsed(maxBytes);
  }

  /** The keys that delete rows of a task's file, by the columns they are of. */
  async forTask(task: FileScanTask, nameMapping: NameMapping | undefined): Promise<readonly AppliedKeys[]> {
    const applied: AppliedKeys[] = [];
    for (const [key, files] of groupFiles(task)) {
      const group = this.#group(key, files, task.schema);
      const load = (file: DeleteFile) => group.load(file, () => this.#read(file, group, task.schema, nameMapping));
      for await (const _ of lookAhead(files, CONCURRENCY, load));
      this.#groups.keep(key, group);
      applied.push(group);
    }
    return applied;
  }

  /** One that has grown too large starts again, unless all of it is needed again. */
  #group(key: string, files: readonly DeleteFile[], schema: Schema): Group {
    const known = this.#groups.get(key);
    if (known && (known.bytes <= this.#maxBytes || known.isWithin(files))) return known;
    const group = new Group(new KeyFields(files[0]!, schema));
    this.#groups.keep(key, group);
    return group;
  }

  async #read(
    { file, sequenceNumber }: DeleteFile,
    { columns, keys }: Group,
    { schemaId }: Schema,
    nameMapping: NameMapping | undefined,
  ): Promise<void> {
    // A key without one of its columns has that column's default, or null; where neither can be, the file is broken.
    const schema: Schema = { ...columns.stored, schemaId, identifierFieldIds: [] };
    const spec = { specId: file.specId, fields: [] };
    const task: FileScanTask = { file, sequenceNumber, deletes: [], spec, schema, residual: { op: 'true' } };
    const finders = columns.finders(schema);
    const options = { projection: schema, ...(nameMapping && { nameMapping }) };
    for await (const batch of this.#readRows(this.#io, task, options)) {
      keys.add(keyColumns(finders, batch), batch.length, sequenceNumber);
    }
  }
}

export function keyColumns(finders: readonly ColumnFinder[], batch: ColumnBatch): readonly ReturnType<ColumnFinder>[] {
  return finders.map((find) => find(batch));
}

/** Delete files with the same columns and the same partition, which therefore apply to the same data files but for age. */
function groupFiles({ deletes }: FileScanTask): ReadonlyMap<string, readonly DeleteFile[]> {
  const groups = new Map<string, DeleteFile[]>();
  for (const entry of deletes) {
    const { content, equalityIds, specId, partition } = entry.file;
    if (content !== 'equality-deletes') continue;
    const ids = (equalityIds ?? []).toSorted((a, b) => a - b);
    const key = `${ids.join()}/${partitionKey(specId, partition)}`;
    const group = groups.get(key);
    if (group) group.push(entry);
    else groups.set(key, [entry]);
  }
  return groups;
}

class Group implements AppliedKeys {
  readonly columns: KeyFields;
  readonly keys = new EqualitySet();
  readonly #loading = new Map<string, Promise<void>>();

  constructor(columns: KeyFields) {
    this.columns = columns;
  }

  get bytes(): number {
    return this.keys.bytes;
  }

  isWithin(files: readonly DeleteFile[]): boolean {
    const paths = new Set(files.map(({ file }) => file.path));
    return [...this.#loading.keys()].every((path) => paths.has(path));
  }

  /** Reads a file unless that was done, or is being done. Keys of one that failed are added again when it is retried. */
  load({ file }: DeleteFile, read: () => Promise<void>): Promise<void> {
    const known = this.#loading.get(file.path);
    if (known) return known;
    const loading = read().catch((error: unknown) => {
      this.#loading.delete(file.path);
      throw error;
    });
    this.#loading.set(file.path, loading);
    return loading;
  }
}

/** All columns that the keys are of, to be read with a task's file. */
export function columnsOf(applied: readonly AppliedKeys[]): StructType {
  return applied.reduce<StructType>((all, { columns }) => mergeFields(all, columns.fields), {
    kind: 'struct',
    fields: [],
  });
}
