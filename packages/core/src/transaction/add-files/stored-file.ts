import { invalidArgument, unsupported } from '../../errors.ts';
import { fieldsInside } from '../../formats/data-file.ts';
import type { FileField } from '../../formats/data-file.ts';
import { parquetFields } from '../../formats/parquet/data-file-reader.ts';
import { readParquetFooter } from '../../formats/parquet/footer.ts';
import type { ParquetFooter, ParquetRowGroup } from '../../formats/parquet/footer.ts';
import { parquetName } from '../../formats/parquet/parquet-names.ts';
import type { ParquetNode } from '../../formats/parquet/parquet-schema.ts';
import type { FileIO } from '../../io/file-io.ts';
import { fileFields } from '../../read/file-fields.ts';
import type { FileFields } from '../../read/file-fields.ts';
import type { NameMapping } from '../../spec/name-mapping.ts';
import { indexById } from '../../spec/schema-fields.ts';
import type { Schema } from '../../spec/schema.ts';
import type { StructType } from '../../spec/types.ts';

/** A Parquet file that somebody wrote: what its footer says, and which of its columns are which of the table's. */
export interface StoredFile {
  readonly location: string;
  /** Bytes. */
  readonly size: number;
  readonly footer: ParquetFooter;
  /** Those with rows: others may lie nowhere. */
  readonly rowGroups: readonly ParquetRowGroup[];
  /** The file's columns by the table's field ids. */
  readonly fields: FileFields;
  /** By `FileField.index`. */
  readonly nodes: ReadonlyMap<number, ParquetNode>;
  /** Whether the ids are its own; those of others come from the name mapping. */
  readonly hasFieldIds: boolean;
}

export interface FoundFile {
  readonly location: string;
  /** Bytes. */
  readonly size: number;
}

/** UNSUPPORTED for what is known to be no Parquet, and for encrypted files; INVALID_DATA for what turns out to be none. */
export async function readFooter(io: FileIO, file: FoundFile, signal: AbortSignal | undefined): Promise<ParquetFooter> {
  const { location, size } = file;
  const format = /\.(avro|orc)$/i.exec(location)?.[1];
  if (format !== undefined) {
    throw unsupported(
      `${location} can't be added: only Parquet files tell in their footers what a table must know of them. Append its rows instead.`,
      { path: location },
    );
  }
  return readParquetFooter(io, location, size, signal ? { signal } : {});
}

export function storedFile({ location, size }: FoundFile, footer: ParquetFooter, mapping: NameMapping): StoredFile {
  const nodes = new Map<number, ParquetNode>();
  const visit = (node: ParquetNode): void => {
    nodes.set(node.index, node);
    node.children.forEach(visit);
  };
  visit(footer.root);
  const columns = parquetFields(footer);
  return {
    location,
    size,
    footer,
    rowGroups: footer.rowGroups.filter(({ rowCount }) => rowCount > 0),
    fields: fileFields(columns, mapping, location),
    nodes,
    hasFieldIds: [...nodes.values()].some(({ fieldId }) => fieldId !== null),
  };
}

/**
 * Refuses files whose field ids are another table's: their columns would be taken for those that happen to have the
 * same ids, or for columns that are yet to be added. A field may have any name that its column ever had.
 */
export function checkFieldIds(
  { fields, hasFieldIds, location }: StoredFile,
  schemas: readonly Schema[],
  lastColumnId: number,
): void {
  if (!hasFieldIds) return;
  for (const [id, { name }] of fields) {
    if (id > lastColumnId)
      throw foreignIds(location, `'${name}' has the id ${id}, which no column of the table has had`);
    const names = schemas.flatMap((schema) => nameIn(schema, id) ?? []);
    if (names.length === 0 || names.some((known) => known === name || parquetName(known) === name)) continue;
    throw foreignIds(location, `'${name}' has the id ${id}, which in the table is '${names.at(-1)!}'`);
  }
}

/** Parts of lists and maps have no names of their own: writers call them as they like. */
function nameIn(schema: Schema, id: number): string | undefined {
  const indexed = indexById(schema).get(id);
  if (indexed === undefined) return undefined;
  const parent = indexed.parentId === null ? schema : indexById(schema).get(indexed.parentId)!.field.type;
  return parent.kind === 'struct' ? indexed.field.name : undefined;
}

function foreignIds(location: string, why: string): Error {
  return invalidArgument(
    `${location} can't be added: its field ids are those of another table (${why}). Append its rows instead.`,
    { path: location },
  );
}

/** The name of a column of the file that the table has no use for; undefined if there is none. */
export function extraColumn({ fields, footer }: StoredFile, schema: StructType): string | undefined {
  const known = new Set([...indexById(schema).keys()].map((id) => fields.get(id)?.index));
  const find = (field: FileField, path: string): string | undefined => {
    const name = `${path}${field.name}`;
    if (!known.has(field.index)) return name;
    if (field.shape.kind === 'leaf') return undefined;
    return fieldsInside(field)
      .map((child) => find(child, `${name}.`))
      .find((found) => found !== undefined);
  };
  return parquetFields(footer)
    .map((field) => find(field, ''))
    .find((found) => found !== undefined);
}

/** The footer's tree with the table's field ids, as one of a file that the table's own writer made. */
export function withFieldIds({ footer, fields }: StoredFile, schema: StructType): ParquetNode {
  const ids = new Map([...fields].filter(([id]) => indexById(schema).has(id)).map(([id, { index }]) => [index, id]));
  const visit = (node: ParquetNode): ParquetNode => ({
    ...node,
    fieldId: ids.get(node.index) ?? null,
    children: node.children.map(visit),
  });
  return visit(footer.root);
}
