import type { ColumnBatch, NumbersColumn, VariableColumn } from '../columns/column.ts';
import { isValid } from '../columns/column.ts';
import { invalidData } from '../errors.ts';
import type { BoundExpression } from '../expr/bound-expression.ts';
import { PositionBitmap } from '../formats/puffin/position-bitmap.ts';
import type { FileIO } from '../io/file-io.ts';
import type { DeleteFile, FileScanTask } from '../scan/file-scan-task.ts';
import { nameMappingOf } from '../spec/name-mapping.ts';
import { FILE_PATH, POS } from '../spec/position-delete-fields.ts';
import type { Schema } from '../spec/schema.ts';
import type { ReadRows } from './read-rows.ts';

/** Positions by the path of their data file. */
export type PositionsByPath = ReadonlyMap<string, PositionBitmap>;

export const POSITION_DELETES: Schema = {
  kind: 'struct',
  fields: [FILE_PATH, POS],
  schemaId: 0,
  identifierFieldIds: [],
};

/** Some writers leave out field ids, but the names are the specification's too. */
const NAME_MAPPING = nameMappingOf(POSITION_DELETES);

export interface ReadPositionsOptions {
  /** Only positions in this data file: parts of the delete file that are surely about others are not read. */
  readonly path?: string;
  readonly signal?: AbortSignal;
}

/** The rows of a position delete file (spec: "Position Delete Files"). INVALID_DATA for rows that name none. */
export async function readPositionDeletes(
  io: FileIO,
  readRows: ReadRows,
  { file, sequenceNumber }: DeleteFile,
  { path, signal }: ReadPositionsOptions = {},
): Promise<PositionsByPath> {
  const task: FileScanTask = {
    file,
    sequenceNumber,
    deletes: [],
    spec: { specId: file.specId, fields: [] },
    schema: POSITION_DELETES,
    residual: path === undefined ? { op: 'true' } : isPath(path),
  };
  const positions = new Map<string, PositionBitmap>();
  const options = { projection: POSITION_DELETES, nameMapping: NAME_MAPPING, ...(signal && { signal }) };
  for await (const batch of readRows(io, task, options)) addPositions(positions, batch, file.path);
  return positions;
}

function isPath(value: string): BoundExpression {
  const { type, name } = FILE_PATH;
  return { op: 'eq', term: { field: FILE_PATH, path: [name], transform: null, type, nullable: false }, value };
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

function addPositions(positions: Map<string, PositionBitmap>, batch: ColumnBatch, location: string): void {
  const [paths, places] = batch.columns as readonly [VariableColumn, NumbersColumn];
  const values = places.values as BigInt64Array;
  // By halves, which spares a bigint per row.
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * batch.length);
  let current: PositionBitmap | undefined;
  for (let row = 0; row < batch.length; row++) {
    const [low, high] = [halves[2 * row]! >>> 0, halves[2 * row + 1]!];
    if (!isValid(paths, row) || !isValid(places, row) || high < 0 || high >= MAX_HIGH) {
      throw invalidData(`The position delete file ${location} has a row without a path, or without a position.`, {
        path: location,
      });
    }
    // Rows are sorted by path, so that most have that of the row before.
    if (current === undefined || !sameBytes(paths, row - 1, row)) current = positionsAt(positions, paths, row);
    current.add(high * 2 ** 32 + low);
  }
}

/** Of positions from 2^53 on, the upper half is this or more. */
const MAX_HIGH = 2 ** 21;

function positionsAt(positions: Map<string, PositionBitmap>, paths: VariableColumn, row: number): PositionBitmap {
  const path = utf8.decode(paths.bytes.subarray(paths.offsets[row], paths.offsets[row + 1]));
  let found = positions.get(path);
  if (found === undefined) positions.set(path, (found = new PositionBitmap()));
  return found;
}

function sameBytes({ offsets, bytes }: VariableColumn, a: number, b: number): boolean {
  const [from, other] = [offsets[a]!, offsets[b]!];
  const length = offsets[a + 1]! - from;
  if (offsets[b + 1]! - other !== length) return false;
  // Paths differ at their end, if they do.
  for (let i = length - 1; i >= 0; i--) if (bytes[from + i] !== bytes[other + i]) return false;
  return true;
}
