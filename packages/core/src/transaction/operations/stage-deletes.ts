import { isDeletionVector } from '../../manifest/content-problem.ts';
import { PositionBitmap } from '../../formats/puffin/position-bitmap.ts';
import { referencedPath } from '../../scan/delete-file-index.ts';
import type { DataFile } from '../../spec/data-file.ts';
import { specById } from '../../spec/metadata-accessors.ts';
import { tableProperty } from '../../spec/table-properties.ts';
import type { DeletedPositions } from '../../write/delete-file.ts';
import { writeDeletionVectors } from '../../write/deletion-vector-writer.ts';
import { writePositionDeletes } from '../../write/position-delete-writer.ts';
import type { StagedDeletes } from '../staged-data.ts';
import { refuseEncrypted } from '../stage-append.ts';
import { stagingOptions } from '../staging-options.ts';
import type { FileMatches, FileReader } from './file-matches.ts';
import type { TableView } from './table-view.ts';

export interface StagedRowDeletes {
  readonly addedDeletes: readonly StagedDeletes[];
  /** Data files without a row that is left, and delete files that were replaced. */
  readonly removed: readonly DataFile[];
  /** The data files that the added deletes are about. */
  readonly dataFiles: readonly DataFile[];
}

/**
 * Writes down that rows of files are deleted: as deletion vectors (v3) or position delete files (v2). What was deleted
 * by position before and is about nothing but the data file is taken over, so that one delete file is enough for it
 * (spec: "Deletion Vectors"); position deletes of whole partitions stay out of it, unless they are vectors' to replace.
 */
export async function stageRowDeletes(
  matches: readonly FileMatches[],
  view: TableView,
  reader: FileReader,
): Promise<StagedRowDeletes> {
  const merges = view.metadata.formatVersion >= 3 || granularity(view) === 'file';
  const { signal } = view.state.options;
  const deleted: (DeletedPositions & { readonly dataFile: DataFile })[] = [];
  const removed: DataFile[] = [];
  for (const { task, positions } of matches) {
    const before = positions === null ? null : await reader.deletes.positions(task, signal ? { signal } : {});
    const all = positions === null ? null : union(positions, before);
    if (before !== null && all?.size === before.size) continue;
    if (all === null || all.size === task.file.recordCount) {
      removed.push(task.file);
      continue;
    }
    deleted.push({ dataFile: task.file, positions: merges ? all : positions! });
    if (merges) removed.push(...task.deletes.map((entry) => entry.file).filter((file) => isAbout(file, task.file)));
  }
  return {
    addedDeletes: await writeRowDeletes(deleted, view),
    removed,
    dataFiles: deleted.map(({ dataFile }) => dataFile),
  };
}

export function granularity({ metadata }: TableView): 'file' | 'partition' {
  return tableProperty(metadata.properties, 'write.delete.granularity');
}

function union(positions: PositionBitmap, before: PositionBitmap | null): PositionBitmap {
  if (before === null) return positions;
  const all = new PositionBitmap();
  all.addAll(before);
  all.addAll(positions);
  return all;
}

/** Whether a delete file is about this data file only. */
function isAbout(file: DataFile, { path }: DataFile): boolean {
  if (file.content !== 'position-deletes') return false;
  return isDeletionVector(file) || referencedPath(file) === path;
}

/** Writes deletion vectors (v3) or position delete files (v2); what data files had before is not looked at. */
export async function writeRowDeletes(
  deleted: readonly DeletedPositions[],
  { metadata, schema, state }: TableView,
): Promise<readonly StagedDeletes[]> {
  if (deleted.length === 0) return [];
  refuseEncrypted(metadata, state.host.operations.name);
  const options = { ...stagingOptions(metadata, state), specs: metadata.partitionSpecs, schema };
  const vectors = metadata.formatVersion >= 3;
  const files = await (vectors ? writeDeletionVectors(deleted, options) : writePositionDeletes(deleted, options));
  const specIds = new Set(files.map((file) => file.specId));
  return [...specIds].map((specId) => ({
    files: files.filter((file) => file.specId === specId),
    spec: specById(metadata, specId),
  }));
}
