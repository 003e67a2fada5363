import type { ColumnBatch, NumbersColumn } from '../../columns/column.ts';
import type { DeleteLoader } from '../../deletes/row-deletes.ts';
import type { BoundExpression } from '../../expr/bound-expression.ts';
import { strictMetricsEvaluator } from '../../expr/metrics-evaluator.ts';
import { referencedFieldIds } from '../../expr/referenced.ts';
import { PositionBitmap } from '../../formats/puffin/position-bitmap.ts';
import { deleteLoader, readTaskColumns } from '../../read/read-task.ts';
import type { ReadTaskOptions } from '../../read/read-task.ts';
import type { FileScanTask } from '../../scan/file-scan-task.ts';
import { lookAhead } from '../../scan/look-ahead.ts';
import { planScan } from '../../scan/plan-scan.ts';
import { tableNameMapping } from '../../spec/name-mapping.ts';
import type { StructType } from '../../spec/types.ts';
import { committedLineage } from './row-lineage.ts';
import type { TableView } from './table-view.ts';

/** A data file that holds rows to be changed. */
export interface FileMatches {
  readonly task: FileScanTask;
  /** Where they are; null if every row of the file is to be changed. */
  readonly positions: PositionBitmap | null;
}

/** Reads the files of one operation: what their delete files say is kept as far as memory is bounded. */
export class FileReader {
  readonly #view: TableView;
  readonly deletes: DeleteLoader;

  constructor(view: TableView) {
    this.#view = view;
    this.deletes = deleteLoader(view.state.host.operations.io);
  }

  /** Columns of the rows that the task's residual matches and that are not deleted; of their lineage what will last. */
  async *read(
    task: FileScanTask,
    projection: StructType,
    options: Pick<ReadTaskOptions, 'metadataColumns' | 'wholeRowGroups'> = {},
  ): AsyncGenerator<ColumnBatch> {
    const { metadata, committed, state } = this.#view;
    const nameMapping = tableNameMapping(metadata.properties);
    const { signal } = state.options;
    const batches = readTaskColumns(state.host.operations.io, task, {
      ...options,
      projection,
      deletes: this.deletes,
      ...(nameMapping && { nameMapping }),
      ...(signal && { signal }),
    });
    const { metadataColumns = [] } = options;
    if (metadata.nextRowId === committed.nextRowId) return yield* batches;
    const first = projection.fields.length;
    for await (const { length, columns } of batches) {
      const lasting = metadataColumns.map((name, i) => committedLineage(name, columns[first + i]!, committed));
      yield { length, columns: [...columns.slice(0, first), ...lasting] };
    }
  }
}

/** The data files that may hold rows for which the filter is TRUE, with all their deletes. In memory as a list. */
export async function planFiles(view: TableView, filter: BoundExpression): Promise<readonly FileScanTask[]> {
  const { metadata, schema, snapshot, state } = view;
  const { signal } = state.options;
  const { tasks } = planScan({
    io: state.host.operations.io,
    metadata,
    snapshot,
    schema,
    filter,
    runtime: state.host.runtime,
    columnStats: referencedFieldIds(filter),
    allDeletes: true,
    ...(signal && { signal }),
  });
  const planned: FileScanTask[] = [];
  for await (const task of tasks) planned.push(task);
  return planned;
}

const NO_COLUMNS: StructType = { kind: 'struct', fields: [] };

/**
 * Finds the rows of files that their residuals match. Files that match as a whole by their partition or metrics are not
 * read, of others the filter's columns only. A bitmap of positions for each file that holds some is all that is kept.
 */
export async function* findMatches(
  tasks: readonly FileScanTask[],
  reader: FileReader,
  concurrency: number,
): AsyncGenerator<FileMatches> {
  const look = async (task: FileScanTask): Promise<FileMatches | null> => {
    if (strictMetricsEvaluator(task.residual)(task.file)) return { task, positions: null };
    const positions = new PositionBitmap();
    for await (const batch of reader.read(task, NO_COLUMNS, { metadataColumns: ['_pos'] })) {
      for (const position of positionsOf(batch.columns[0] as NumbersColumn)) positions.add(position);
    }
    return positions.size === 0 ? null : { task, positions };
  };
  for await (const found of lookAhead(tasks, concurrency, look)) if (found !== null) yield found;
}

/** The values of a `_pos` column; by halves, which spares a bigint per row. */
export function positionsOf({ values, length }: NumbersColumn): Float64Array {
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * length);
  const positions = new Float64Array(length);
  for (let i = 0; i < length; i++) positions[i] = halves[2 * i + 1]! * 2 ** 32 + (halves[2 * i]! >>> 0);
  return positions;
}

/** The rows that are at positions, all of which are there; `places` are those of all rows, ascending. */
export function rowsOfPositions(positions: readonly number[], places: Float64Array): Int32Array {
  return Int32Array.from(positions, (position) => {
    // Where no row is missing in between, the first guess is right.
    let [low, high] = [0, Math.min(position - places[0]!, places.length - 1)];
    while (places[high] !== position) {
      const middle = (low + high) >> 1;
      if (places[middle]! < position) low = middle + 1;
      else high = middle;
    }
    return high;
  });
}
