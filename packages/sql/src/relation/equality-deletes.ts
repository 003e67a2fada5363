import type {
  DataFile,
  DeleteFile,
  FileScanTask,
  IcebergType,
  NestedField,
  Schema,
  StructType,
  TypeKind,
} from '@lh/core';
import { KeyFields, partitionKey } from '@lh/core/engine';
import { quoteName, quoteString } from '../text/quote.ts';
import { duckdbNames } from '../types/duckdb-types.ts';

/** All equality deletes of a scan that are on the same columns. */
export class EqualityKeys {
  readonly columns: KeyFields;
  /** The columns of the data files, or delete files, that hold the keys, as hidden columns of the scan. */
  readonly fields: readonly NestedField[];
  /** The same, required where delete files must have them. */
  readonly stored: readonly NestedField[];
  /** DuckDB compares them as Iceberg does. */
  readonly isComparable: boolean;
  readonly #scopes = new Map<string, number>();
  readonly #known = new Map<string, AppliedFile>();

  /** `prefix` is one that no column of the table begins with. */
  constructor(columns: KeyFields, prefix: string) {
    this.columns = columns;
    const named = (field: NestedField, i: number): NestedField => ({
      ...field,
      name: `${prefix}${columns.ids.join('_')}_${i}`,
    });
    this.fields = columns.fields.fields.map(named);
    this.stored = columns.stored.fields.map(named);
    this.isComparable = columns.ids.length > 0 && columns.ids.every((id) => isComparable(this.fields, id));
  }

  /** SQL that gives each part of the key from the columns `fields` of a relation. */
  parts(relation: string): readonly string[] {
    return this.columns.ids.map((id) => {
      const { access, type } = leafIn(this.fields, id, (field) => `${relation}.${quoteName(field.name)}`)!;
      // Keys are equal by their bytes, whatever the session's collation.
      return type.kind === 'string' ? `(${access} COLLATE C)` : access;
    });
  }

  /** A delete file, with the number of the partition that it is about. */
  applied({ file, sequenceNumber }: DeleteFile): AppliedFile {
    const known = this.#known.get(file.path);
    if (known) return known;
    const key = partitionKey(file.specId, file.partition);
    const scope = this.#scopes.get(key) ?? this.#scopes.size;
    this.#scopes.set(key, scope);
    const applied = { file, sequenceNumber, scope };
    this.#known.set(file.path, applied);
    return applied;
  }
}

/** A delete file deletes older rows of its partition: of the data files that have its scope. */
export interface AppliedFile {
  readonly file: DataFile;
  readonly sequenceNumber: bigint;
  readonly scope: number;
}

/** The equality deletes that apply to one data file: by columns, the files of each scope. */
export interface AppliedKeys {
  readonly keys: EqualityKeys;
  readonly files: readonly AppliedFile[];
  /** Ascending. */
  readonly scopes: readonly number[];
}

/** Finds out what equality deletes a scan's tasks need. */
export class EqualityDeletes {
  readonly #schema: Schema;
  readonly #prefix: string;
  readonly #byColumns = new Map<string, EqualityKeys>();
  /** A delete file comes with every task that it applies to. */
  readonly #byPath = new Map<string, EqualityKeys>();

  constructor(schema: Schema, prefix: string) {
    this.#schema = schema;
    this.#prefix = prefix;
  }

  /** Null if DuckDB would not compare the keys as Iceberg does. */
  forTask({ deletes }: FileScanTask): readonly AppliedKeys[] | null {
    const files = new Map<EqualityKeys, AppliedFile[]>();
    for (const entry of deletes) {
      if (entry.file.content !== 'equality-deletes') continue;
      const keys = this.#keysOf(entry);
      if (!keys.isComparable) return null;
      const known = files.get(keys);
      if (known) known.push(keys.applied(entry));
      else files.set(keys, [keys.applied(entry)]);
    }
    // In one order for all files: those that are read alike are read together.
    const sorted = [...files].toSorted(([a], [b]) => (a.columns.ids.join() < b.columns.ids.join() ? -1 : 1));
    return sorted.map(([keys, applied]) => {
      const scopes = new Set(applied.map(({ scope }) => scope));
      return { keys, files: applied, scopes: [...scopes].toSorted((a, b) => a - b) };
    });
  }

  #keysOf(entry: DeleteFile): EqualityKeys {
    const known = this.#byPath.get(entry.file.path);
    if (known) return known;
    const key = (entry.file.equalityIds ?? []).toSorted((a, b) => a - b).join();
    let keys = this.#byColumns.get(key);
    if (!keys) {
      keys = new EqualityKeys(new KeyFields(entry, this.#schema), this.#prefix);
      this.#byColumns.set(key, keys);
    }
    this.#byPath.set(entry.file.path, keys);
    return keys;
  }
}

/** Where DuckDB's equality isn't that of bytes (-0 equals +0), or it has no exact type, core compares. */
const COMPARED_BY_CORE: ReadonlySet<TypeKind> = new Set<TypeKind>([
  'float',
  'double',
  'timestamptz_ns',
  'geometry',
  'geography',
]);

function isComparable(fields: readonly NestedField[], id: number): boolean {
  return !COMPARED_BY_CORE.has(leafIn(fields, id, () => '')!.type.kind);
}

interface Leaf {
  readonly access: string;
  readonly type: IcebergType;
}

/** A field at the top or inside structs, and how SQL gets at it; null inside a struct that is null. */
function leafIn(fields: readonly NestedField[], id: number, access: (field: NestedField) => string): Leaf | undefined {
  for (const field of fields) {
    if (field.id === id) return { access: access(field), type: field.type };
    const inside = field.type.kind === 'struct' ? leafInStruct(field.type, id, access(field)) : undefined;
    if (inside) return inside;
  }
  return undefined;
}

function leafInStruct(struct: StructType, id: number, access: string): Leaf | undefined {
  const names = duckdbNames(struct);
  return leafIn(
    struct.fields,
    id,
    (field) => `struct_extract(${access}, ${quoteString(names[struct.fields.indexOf(field)]!)})`,
  );
}
