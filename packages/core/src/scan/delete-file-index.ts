import { invalidData } from '../errors.ts';
import { isDeletionVector } from '../manifest/content-problem.ts';
import type { DataFile } from '../spec/data-file.ts';
import { isUnpartitioned, type PartitionSpec } from '../spec/partition-spec.ts';
import { FILE_PATH } from '../spec/position-delete-fields.ts';
import { findField } from '../spec/schema-fields.ts';
import type { Schema } from '../spec/schema.ts';
import { mergeFields, selectFields } from '../spec/select-fields.ts';
import { compareBytes } from '../spec/compare-values.ts';
import type { NestedField, StructType } from '../spec/types.ts';
import { EqualityDeletes } from './equality-deletes.ts';
import type { DeleteFile } from './file-scan-task.ts';
import { partitionKey } from './partition-key.ts';
import { SequencedDeletes } from './sequenced-deletes.ts';

const NONE: readonly DeleteFile[] = [];

export interface DeleteFileIndexOptions {
  readonly specs: readonly PartitionSpec[];
  /** Where delete columns are looked up, the scan's schema first: a column that was dropped still deletes. */
  readonly schemas: readonly Schema[];
}

/**
 * Finds the delete files that apply to a data file (spec: "Scan Planning"):
 *
 * | | data sequence number | partition | path |
 * | --- | --- | --- | --- |
 * | deletion vector | <= that of the delete | same spec and tuple | the one it references |
 * | position delete | <= | same spec and tuple | the one it references, if it does |
 * | equality delete | < | same spec and tuple, any if the delete's spec is unpartitioned | any |
 *
 * A deletion vector replaces all position deletes of its file. Lookups go by path, by partition and by sequence number,
 * so that their cost does not grow with the number of deletes that don't apply.
 */
export class DeleteFileIndex {
  readonly #vectors = new Map<string, DeleteFile>();
  readonly #byPath: ReadonlyMap<string, SequencedDeletes>;
  readonly #byPartition: ReadonlyMap<string, SequencedDeletes>;
  readonly #equalityByPartition: ReadonlyMap<string, readonly EqualityDeletes[]>;
  readonly #globalEquality: readonly EqualityDeletes[];
  /** Columns of equality deletes: with statistics of these, fewer deletes are found to apply. */
  readonly equalityColumns: ReadonlySet<number>;
  readonly size: number;

  constructor(deletes: readonly DeleteFile[], options: DeleteFileIndexOptions) {
    const byPath = new Grouping<string>();
    const byPartition = new Grouping<string>();
    const equality = new EqualityGrouping(options);
    for (const entry of deletes) {
      const { file } = entry;
      if (file.content === 'equality-deletes') equality.add(entry);
      else if (isDeletionVector(file)) this.#addVector(entry);
      else {
        const path = referencedPath(file);
        if (path === null) byPartition.add(partitionKey(file.specId, file.partition), entry);
        else byPath.add(path, entry);
      }
    }
    this.#byPath = byPath.map((files) => new SequencedDeletes(files));
    this.#byPartition = byPartition.map((files) => new SequencedDeletes(files));
    this.#equalityByPartition = equality.byPartition();
    this.#globalEquality = equality.global();
    const groups = [...this.#globalEquality, ...[...this.#equalityByPartition.values()].flat()];
    this.equalityColumns = new Set(groups.flatMap(({ columnIds }) => columnIds));
    this.size = deletes.length;
  }

  /** The deletes to apply when a file is read. `file` may have statistics of `equalityColumns`. */
  forFile(file: DataFile, sequenceNumber: bigint): readonly DeleteFile[] {
    if (this.size === 0) return NONE;
    const needsKey = this.#byPartition.size > 0 || this.#equalityByPartition.size > 0;
    const key = needsKey ? partitionKey(file.specId, file.partition) : '';
    const vector = this.#vectorFor(file, sequenceNumber);
    const positions = vector
      ? [[vector]]
      : [this.#inPartition(key, sequenceNumber), this.#atPath(file, sequenceNumber)];
    const equality = [...this.#globalEquality, ...(this.#equalityByPartition.get(key) ?? [])];
    return concat([...equality.map((group) => group.matching(file, sequenceNumber)), ...positions]);
  }

  #addVector(entry: DeleteFile): void {
    // Readers of manifests have made sure that there is one.
    const path = entry.file.referencedDataFile!;
    const other = this.#vectors.get(path);
    if (other) {
      throw invalidData(
        `${path} has two deletion vectors, in ${other.file.path} and in ${entry.file.path}; there may be only one.`,
        {
          path,
        },
      );
    }
    this.#vectors.set(path, entry);
  }

  #vectorFor(file: DataFile, sequenceNumber: bigint): DeleteFile | null {
    const vector = this.#vectors.get(file.path);
    return vector && vector.sequenceNumber >= sequenceNumber && inSamePartition(vector.file, file) ? vector : null;
  }

  #inPartition(key: string, sequenceNumber: bigint): readonly DeleteFile[] {
    const deletes = this.#byPartition.get(key);
    return deletes ? deletes.suffix(deletes.startOf(sequenceNumber)) : NONE;
  }

  #atPath(file: DataFile, sequenceNumber: bigint): readonly DeleteFile[] {
    const deletes = this.#byPath.get(file.path);
    if (!deletes) return NONE;
    const newer = deletes.suffix(deletes.startOf(sequenceNumber));
    return newer.every((entry) => inSamePartition(entry.file, file))
      ? newer
      : newer.filter((entry) => inSamePartition(entry.file, file));
  }
}

/** Lists by key. */
class Grouping<K> {
  readonly #groups = new Map<K, DeleteFile[]>();

  add(key: K, entry: DeleteFile): void {
    const group = this.#groups.get(key);
    if (group) group.push(entry);
    else this.#groups.set(key, [entry]);
  }

  map<T>(make: (files: readonly DeleteFile[], key: K) => T): Map<K, T> {
    return new Map([...this.#groups].map(([key, files]) => [key, make(files, key)]));
  }
}

/** Sorts equality deletes by where they apply, then by their columns. */
class EqualityGrouping {
  readonly #options: DeleteFileIndexOptions;
  readonly #unpartitioned: ReadonlySet<number>;
  readonly #byPartition = new Grouping<string>();
  readonly #global: DeleteFile[] = [];

  constructor(options: DeleteFileIndexOptions) {
    this.#options = options;
    this.#unpartitioned = new Set(options.specs.filter((spec) => isUnpartitioned(spec)).map(({ specId }) => specId));
  }

  add(entry: DeleteFile): void {
    const { specId, partition } = entry.file;
    if (this.#unpartitioned.has(specId)) this.#global.push(entry);
    else this.#byPartition.add(partitionKey(specId, partition), entry);
  }

  byPartition(): ReadonlyMap<string, readonly EqualityDeletes[]> {
    return this.#byPartition.map((files) => this.#byColumns(files));
  }

  global(): readonly EqualityDeletes[] {
    return this.#byColumns(this.#global);
  }

  #byColumns(files: readonly DeleteFile[]): readonly EqualityDeletes[] {
    const groups = new Grouping<string>();
    for (const entry of files) groups.add((entry.file.equalityIds ?? []).join(), entry);
    return [...groups.map((group) => this.#onSameColumns(group)).values()];
  }

  #onSameColumns(files: readonly DeleteFile[]): EqualityDeletes {
    const { path, equalityIds } = files[0]!.file;
    const fields: NestedField[] = [];
    let equalityFields: StructType = { kind: 'struct', fields: [] };
    for (const id of equalityIds ?? []) {
      const schema = this.#schemaWith(id, path);
      fields.push(findField(schema, id)!);
      equalityFields = mergeFields(equalityFields, selectFields(schema, new Set([id])));
    }
    return new EqualityDeletes(
      files.map((entry) => ({ ...entry, equalityFields })),
      fields,
    );
  }

  #schemaWith(id: number, path: string): Schema {
    const schema = this.#options.schemas.find((candidate) => findField(candidate, id) !== undefined);
    if (schema) return schema;
    throw invalidData(`The equality delete ${path} is on the field id ${id}, which no schema of the table has.`, {
      path,
    });
  }
}

/** The one file that a position delete is about: named, or told by equal bounds of its `file_path` column. */
export function referencedPath(file: DataFile): string | null {
  if (file.referencedDataFile !== null) return file.referencedDataFile;
  const lower = file.lowerBounds?.get(FILE_PATH.id);
  const upper = file.upperBounds?.get(FILE_PATH.id);
  // An upper bound that was truncated is raised, so equal bounds are whole paths.
  return lower && upper && compareBytes(lower, upper) === 0 ? new TextDecoder().decode(lower) : null;
}

function inSamePartition(a: DataFile, b: DataFile): boolean {
  return a.specId === b.specId && partitionKey(a.specId, a.partition) === partitionKey(b.specId, b.partition);
}

function concat(lists: readonly (readonly DeleteFile[])[]): readonly DeleteFile[] {
  const filled = lists.filter((list) => list.length > 0);
  return filled.length <= 1 ? (filled[0] ?? NONE) : filled.flat();
}
