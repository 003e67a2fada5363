import type { FileScanTask } from '@lh/core';
import { PositionBitmap, lookAhead, matchingRowGroups } from '@lh/core/engine';
import type { ParquetFooter } from '@lh/core/engine';
import type { FilePlace } from './locate-files.ts';
import type { FileSchema } from './file-schema.ts';
import type { RelationSource } from './scan-relation.ts';

/** What is read of a file. */
export interface FileNeeds {
  readonly task: FileScanTask;
  readonly place: FilePlace;
  readonly schema: FileSchema;
  /** Ids of the top-level fields that are read. */
  readonly fieldIds: ReadonlySet<number>;
  /** Positions in the file play a role that isn't known here: its rows must be where they are. */
  readonly keepsPlaces: boolean;
  readonly positions: PositionBitmap | null;
  /** None of its rows is deleted. */
  readonly isWhole: boolean;
}

/** A file that DuckDB opens by a path, and the rows that are deleted of it, by their places there. */
export interface OpenedData {
  readonly path: string;
  readonly positions: PositionBitmap | null;
}

const AT_ONCE = 32;

/** Brings to the local disk what DuckDB will read of the files; null for those of which it needs nothing. */
export async function openFiles(
  source: RelationSource,
  files: readonly FileNeeds[],
): Promise<readonly (OpenedData | null)[]> {
  const opened: (OpenedData | null)[] = [];
  const wanted = rowGroupsOf(source, files);
  for await (const one of lookAhead(files.keys(), AT_ONCE, async (i) => openFile(source, files[i]!, wanted[i]!))) {
    opened.push(one);
  }
  for (const { place } of files) source.remote.count(place.kind);
  return opened;
}

async function openFile(
  { remote }: RelationSource,
  { place, schema, fieldIds, positions }: FileNeeds,
  rowGroups: readonly number[],
): Promise<OpenedData | null> {
  if (place.kind !== 'cache') return { path: place.path, positions };
  if (rowGroups.length === 0) return null;
  const { footer } = place.known;
  const leaves = schema.fields.flatMap(({ fieldId }, i) => {
    const [from, to] = footer.root.children[i]!.leaves;
    return fieldId !== null && fieldIds.has(fieldId) ? Array.from({ length: to - from }, (_, leaf) => from + leaf) : [];
  });
  const opened = await remote.open(place.file, place.known, { rowGroups, leaves });
  return { path: opened.path, positions: positions && movedPositions(positions, footer, opened.rowGroups) };
}

/** The row groups that a query needs of each file; of those that DuckDB opens where they are, none. */
function rowGroupsOf(
  { nameMapping, maxRows }: RelationSource,
  files: readonly FileNeeds[],
): readonly (readonly number[])[] {
  let missing = maxRows ?? Number.POSITIVE_INFINITY;
  return files.map(({ place, task, keepsPlaces, isWhole }) => {
    if (place.kind !== 'cache') return [];
    const { footer } = place.known;
    const needed = keepsPlaces ? { ...task, residual: { op: 'true' } as const } : task;
    const groups: number[] = [];
    for (const group of matchingRowGroups(footer, needed, nameMapping)) {
      if (missing <= 0) break;
      groups.push(group);
      // How many are left of rows that may be deleted isn't known.
      if (isWhole) missing -= footer.rowGroups[group]!.rowCount;
    }
    return groups;
  });
}

/** Positions in a file that has only some of the row groups; those of the others are gone. */
function movedPositions(
  positions: PositionBitmap,
  footer: ParquetFooter,
  rowGroups: readonly number[],
): PositionBitmap {
  const all = footer.rowGroups.filter(({ rowCount }) => rowCount > 0);
  if (rowGroups.length === all.length) return positions;
  const moved = new PositionBitmap();
  let [next, start] = [0, 0];
  for (const position of positions) {
    for (; next < rowGroups.length; next++) {
      const { firstRow, rowCount } = footer.rowGroups[rowGroups[next]!]!;
      if (position < firstRow + rowCount) {
        if (position >= firstRow) moved.add(position - firstRow + start);
        break;
      }
      start += rowCount;
    }
  }
  return moved;
}
