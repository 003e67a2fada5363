import { invalidArgument } from '../../errors.ts';
import { TRUE } from '../../expr/logic.ts';
import { PositionBitmap } from '../../formats/puffin/position-bitmap.ts';
import { currentSchema, currentSpec } from '../../spec/metadata-accessors.ts';
import { isUnpartitioned } from '../../spec/partition-spec.ts';
import type { PartitionSpec } from '../../spec/partition-spec.ts';
import { fieldPath } from '../../spec/schema-fields.ts';
import type { Schema } from '../../spec/schema.ts';
import { selectFields } from '../../spec/select-fields.ts';
import { writeEqualityDeletes } from '../../write/equality-delete-writer.ts';
import { arrowBatches, inputItems, toBatches } from '../../write/input.ts';
import type { AppendData, InputItem } from '../../write/input.ts';
import { refuseEncrypted } from '../stage-append.ts';
import type { StagedData, StagedDeletes } from '../staged-data.ts';
import { stagingOptions } from '../staging-options.ts';
import type { TransactionState } from '../transaction-state.ts';
import { FileReader, planFiles } from './file-matches.ts';
import type { FileMatches } from './file-matches.ts';
import { keyFields } from './merge-keys.ts';
import { rowChange } from './row-change.ts';
import { noDeleteFiles } from './row-level-settings.ts';
import type { RowOperation } from './row-operation.ts';
import { stageRowDeletes } from './stage-deletes.ts';
import type { TableView } from './table-view.ts';

/** What streams write: new rows, and which older ones are gone. Deletes need format version 2. */
export interface RowDelta {
  /** To be added; equality deletes of the same delta don't apply to them, so each key should be in them once. */
  readonly rows?: AppendData | undefined;
  readonly equalityDeletes?: EqualityDeleteInput | undefined;
  /** Rows by the path of their data file and their position in it, as `_file` and `_pos` tell them. */
  readonly positionDeletes?: Iterable<PositionDelete> | undefined;
}

export interface EqualityDeleteInput {
  /** The columns by which rows are deleted; null equals null. */
  readonly fields: string | readonly string[];
  /**
   * Their values, one row for each key. In a partitioned table also the columns that it is partitioned by: a row is
   * looked for in one partition only.
   */
  readonly rows: AppendData;
}

export interface PositionDelete {
  readonly file: string;
  readonly pos: number | bigint;
}

/** Stages a delta's equality deletes; positions are merged with those that are there when the change is worked out. */
export async function rowDeltaOperation(
  added: StagedData | null,
  { equalityDeletes, positionDeletes }: Omit<RowDelta, 'rows'>,
  state: TransactionState,
): Promise<RowOperation> {
  const positions = positionDeletes === undefined ? new Map<string, PositionBitmap>() : byFile(positionDeletes);
  if (state.metadata.formatVersion === 1 && (equalityDeletes !== undefined || positions.size > 0)) {
    throw noDeleteFiles(state.host.operations.name);
  }
  const equality = equalityDeletes === undefined ? [] : [await stageEqualityDeletes(equalityDeletes, state)];
  return {
    async plan(view) {
      const reader = new FileReader(view);
      const { addedDeletes, removed, dataFiles } = await stageRowDeletes(
        await findFiles(positions, view),
        view,
        reader,
      );
      const deletes = [...equality, ...addedDeletes].filter(({ files }) => files.length > 0);
      const dataFilesExist = dataFiles.map(({ path }) => path);
      return rowChange(view, {
        addedData: added === null ? [] : [added],
        addedDeletes: deletes,
        removed,
        checks: { dataFilesExist, dataFilesMayBeDeleted: true },
      });
    },
  };
}

function byFile(deletes: Iterable<PositionDelete>): ReadonlyMap<string, PositionBitmap> {
  const positions = new Map<string, PositionBitmap>();
  for (const { file, pos } of deletes) {
    const position = Number(pos);
    if (typeof file !== 'string' || !Number.isSafeInteger(position) || position < 0) {
      throw invalidArgument(`A position delete is { file, pos } with a position from 0 on, not ${String(pos)}.`);
    }
    let bitmap = positions.get(file);
    if (bitmap === undefined) positions.set(file, (bitmap = new PositionBitmap()));
    bitmap.add(position);
  }
  return positions;
}

async function findFiles(
  positions: ReadonlyMap<string, PositionBitmap>,
  view: TableView,
): Promise<readonly FileMatches[]> {
  if (positions.size === 0) return [];
  const tasks = (await planFiles(view, TRUE)).filter(({ file }) => positions.has(file.path));
  const known = new Set(tasks.map(({ file }) => file.path));
  for (const path of positions.keys()) {
    if (known.has(path)) continue;
    throw invalidArgument(`${path} is no data file of the table, so none of its rows can be deleted.`, { path });
  }
  return tasks.map((task) => {
    const { path, recordCount } = task.file;
    const deleted = positions.get(path)!;
    for (const position of deleted) {
      if (position < recordCount) continue;
      throw invalidArgument(`${path} has ${recordCount} rows, so there is none at position ${position}.`, { path });
    }
    return { task, positions: deleted };
  });
}

async function stageEqualityDeletes(
  { fields, rows }: EqualityDeleteInput,
  state: TransactionState,
): Promise<StagedDeletes> {
  const { metadata, host, options } = state;
  refuseEncrypted(metadata, host.operations.name);
  const schema = currentSchema(metadata);
  const spec = currentSpec(metadata);
  const keys = keyFields(schema, typeof fields === 'string' ? [fields] : fields, 'equalityDeletes.fields');
  const ids = keys.map((field) => field.id);
  const sources = isUnpartitioned(spec) ? [] : partitionSources(spec);
  const stored: Schema = { ...schema, ...selectFields(schema, new Set([...ids, ...sources])) };
  const input = withColumns(rows, topLevelNames(sources, schema));
  const { signal } = options;
  const batches = toBatches(input, stored, signal ? { signal } : {});
  const files = await writeEqualityDeletes(batches, ids, stagingOptions(metadata, state, stored));
  return { files, spec };
}

function partitionSources({ fields }: PartitionSpec): readonly number[] {
  return fields.filter(({ transform }) => transform.kind !== 'void').flatMap(({ sourceIds }) => sourceIds);
}

function topLevelNames(ids: readonly number[], schema: Schema): readonly string[] {
  return [...new Set(ids.map((id) => fieldPath(schema, id)![0]!))];
}

/** Refuses rows without a column that tells the partition: a missing one would be taken for null. */
async function* withColumns(data: AppendData, names: readonly string[]): AsyncGenerator<InputItem> {
  for await (const item of inputItems(data)) {
    const isArrow = arrowBatches(item) !== null;
    const present = isArrow
      ? (item as { readonly schema: { readonly fields: readonly { readonly name: string }[] } }).schema.fields
      : Object.keys(item ?? {}).map((name) => ({ name }));
    const missing = names.find((name) => !present.some((field) => field.name === name));
    if (missing !== undefined) {
      throw invalidArgument(
        `The rows of equalityDeletes lack '${missing}', which the table is partitioned by: a row is deleted from one partition.`,
      );
    }
    yield item;
  }
}
