import { invalidArgument, unsupported } from '../../errors.ts';
import { tableProperty } from '../../spec/table-properties.ts';
import type { TableView } from './table-view.ts';

/**
 * How rows are changed: copy-on-write writes the files that hold them anew, which costs the writer; merge-on-read writes
 * down which rows are gone, and new rows, which costs every reader until the table is compacted.
 */
export type RowLevelMode = 'copy-on-write' | 'merge-on-read';

export interface RowLevelOptions {
  /** `write.delete.mode`, `write.update.mode` or `write.merge.mode` if left out. Merge-on-read needs format version 2. */
  readonly mode?: RowLevelMode | undefined;
}

export type RowLevelCommand = 'delete' | 'update' | 'merge';

export interface RowLevelSettings {
  readonly mergeOnRead: boolean;
  /** Rows that others add meanwhile, and that the operation would have seen, are a conflict. */
  readonly serializable: boolean;
}

const MODES: readonly RowLevelMode[] = ['copy-on-write', 'merge-on-read'];

export function rowLevelSettings(
  command: RowLevelCommand,
  { mode }: RowLevelOptions,
  { metadata: { properties, formatVersion }, state }: TableView,
): RowLevelSettings {
  if (mode !== undefined && !MODES.includes(mode)) {
    throw invalidArgument(`mode must be 'copy-on-write' or 'merge-on-read', not ${mode as string}.`);
  }
  const isolation = state.options.isolation ?? tableProperty(properties, `write.${command}.isolation-level`);
  if (isolation !== 'serializable' && isolation !== 'snapshot') {
    throw invalidArgument(`isolation must be 'serializable' or 'snapshot', not ${isolation as string}.`);
  }
  const wanted = mode ?? tableProperty(properties, `write.${command}.mode`);
  const mergeOnRead = wanted === 'merge-on-read' && formatVersion > 1;
  if (wanted === 'merge-on-read' && !mergeOnRead) {
    if (mode !== undefined) throw noDeleteFiles(state.host.operations.name);
    state.warnings.add(
      `write.${command}.mode is merge-on-read, but tables of format version 1 have no delete files: files were rewritten. Upgrade the table, or set the property to copy-on-write.`,
    );
  }
  return { mergeOnRead, serializable: isolation === 'serializable' };
}

export function noDeleteFiles(table: string): Error {
  return unsupported(
    `Table ${table} has format version 1, which knows no delete files. Use copy-on-write, or upgrade it with upgradeFormatVersion(2).`,
    { table },
  );
}
