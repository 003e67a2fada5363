import { castFields } from '../columns/cast.ts';
import type { CastRules, FieldPath } from '../columns/cast.ts';
import type { ColumnBatch } from '../columns/column.ts';
import { constantColumn } from '../columns/constant.ts';
import type { SourceField } from '../columns/source-type.ts';
import { invalidData } from '../errors.ts';
import type { DecodedBatch, RowGroup } from '../formats/data-file.ts';
import { openDataFile } from '../formats/open-data-file.ts';
import type { FileIO } from '../io/file-io.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { NameMapping } from '../spec/name-mapping.ts';
import type { StructType } from '../spec/types.ts';
import { absentValue } from './absent-values.ts';
import type { PartitionConstants } from './absent-values.ts';
import { fileFields, wantedFields } from './file-fields.ts';
import type { FileFields } from './file-fields.ts';

/** A file of rows, data or deletes, whose columns are found by the table's field ids. */
export interface OpenFile {
  readonly fields: FileFields;
  /**
   * Fields of an Iceberg schema, as today's types. The first bytes are fetched at once. To be called once. INVALID_DATA,
   * from the iteration, if the file's types don't fit.
   */
  read(wanted: StructType, options?: ReadFieldsOptions): AsyncIterable<FileBatch>;
}

export interface ReadFieldsOptions {
  /** The most rows of one batch; wide rows come in smaller ones. */
  readonly batchSize?: number;
  /** Values of columns that the file may lack. */
  readonly constants?: PartitionConstants;
  /** Row groups that can be left out. */
  readonly mayMatch?: (group: RowGroup) => boolean;
}

export interface FileBatch extends ColumnBatch {
  /** Position in the file of the batch's first row. */
  readonly firstRow: number;
}

export interface OpenFileOptions {
  /** For files without field ids. */
  readonly nameMapping?: NameMapping;
  /** About how many columns the file has. */
  readonly columns?: number;
  readonly signal?: AbortSignal;
}

const DEFAULT_BATCH_SIZE = 64 * 1024;
const NO_CONSTANTS: PartitionConstants = new Map();

/** Opens a file of any format. INVALID_DATA for a broken one; UNSUPPORTED for what can't be read. */
export async function openFile(io: FileIO, file: DataFile, options: OpenFileOptions = {}): Promise<OpenFile> {
  const signal = options.signal && { signal: options.signal };
  const reader = await openDataFile(io, file, {
    ...(options.columns !== undefined && { columns: options.columns }),
    ...signal,
  });
  const fields = fileFields(reader.fields, options.nameMapping ?? null, file.path);
  return {
    fields,
    read(wanted, { batchSize = DEFAULT_BATCH_SIZE, constants = NO_CONSTANTS, mayMatch } = {}) {
      const rules = fileRules(file.path, fields, constants);
      const read = { fields: wantedFields(wanted, fields), batchSize, ...(mayMatch && { mayMatch }), ...signal };
      return castBatches(reader.read(read), wanted, rules, file.path);
    },
  };
}

async function* castBatches(
  batches: AsyncIterable<DecodedBatch>,
  wanted: StructType,
  rules: CastRules,
  path: string,
): AsyncGenerator<FileBatch> {
  try {
    for await (const batch of batches) {
      const { length, firstRow } = batch;
      yield { length, firstRow, columns: castFields(wanted, batch.fields, batch.columns, length, rules) };
    }
  } catch (error) {
    throw error instanceof RangeError ? tooLarge(path, error) : error;
  }
}

/** A length that nothing can hold shows as an array that can't be made. */
function tooLarge(path: string, cause: RangeError): Error {
  return invalidData(
    `The data file ${path} can't be decoded: a length in it is wrong, or too large to be read.`,
    { path },
    cause,
  );
}

/** Fields of a file find their columns by field id; what a file lacks is filled in. */
function fileRules(location: string, fields: FileFields, constants: PartitionConstants): CastRules {
  const places = new WeakMap<readonly SourceField[], ReadonlyMap<number | null, number>>();
  /** Of fields by their ids: there may be thousands. */
  const placesIn = (source: readonly SourceField[]): ReadonlyMap<number | null, number> => {
    let known = places.get(source);
    if (known === undefined) places.set(source, (known = new Map(source.map(({ id }, i) => [id, i]))));
    return known;
  };
  const fail = (path: FieldPath, _: number | null, problem: string): never => {
    throw invalidData(`The column '${path.join('.')}' of the data file ${location} ${problem}.`, { path: location });
  };
  return {
    mode: 'file',
    // Decoded fields carry the index of their element as id.
    find: (target, source) => {
      const index = fields.get(target.id)?.index;
      return index === undefined ? -1 : (placesIn(source).get(index) ?? -1);
    },
    missing: (target, length, path) => {
      const value = absentValue(target, constants);
      if (value === null && target.required) return fail(path, null, 'is required, but missing, and has no default');
      return constantColumn(target.type, value, length);
    },
    checkRequired: false,
    fail,
  };
}
