import { invalidArgument } from '../../errors.ts';
import { bindExpression } from '../../expr/bind.ts';
import { toExpression } from '../../expr/filter-input.ts';
import type { FilterInput } from '../../expr/filter-input.ts';
import { isDeletionVector } from '../../manifest/content-problem.ts';
import { referencedPath } from '../../scan/delete-file-index.ts';
import { partitionKey } from '../../scan/partition-key.ts';
import { specFilters } from '../../scan/spec-filters.ts';
import type { DataFile } from '../../spec/data-file.ts';
import { tableProperty } from '../../spec/table-properties.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import { granularity } from '../../transaction/operations/stage-deletes.ts';
import type { TableView } from '../../transaction/operations/table-view.ts';
import { liveDeletes } from '../live-entries.ts';

/** Which delete files are worth rewriting, with Spark's names and defaults. */
export interface SelectDeletesOptions {
  /** Of partitions that may hold rows that match. */
  readonly where?: FilterInput | undefined;
  /** `write.delete.target-file-size-bytes` if left out. */
  readonly targetFileSizeBytes?: number | undefined;
  /** Smaller files are candidates; 75 % of the target if left out. */
  readonly minFileSizeBytes?: number | undefined;
  /** Larger files are candidates; 180 % of the target if left out. */
  readonly maxFileSizeBytes?: number | undefined;
  /** So many candidates of one partition are worth it whatever their size; 5 if left out. */
  readonly minInputFiles?: number | undefined;
  /** All position delete files, whatever their size. */
  readonly rewriteAll?: boolean | undefined;
}

interface Sizes {
  readonly target: number;
  readonly min: number;
  readonly max: number;
  readonly minInputFiles: number;
}

/**
 * The position delete files to rewrite. In v3 these are all that are left from v2. Where the table wants a delete file
 * for each data file, several about one data file are worth it, and what is about a whole partition by its size.
 */
export async function selectDeletes(view: TableView, options: SelectDeletesOptions): Promise<readonly DataFile[]> {
  const sizes = checkedSizes(options, view.metadata);
  const filterOf = specFilters(
    view.metadata,
    view.schema,
    bindExpression(view.schema, toExpression(options.where ?? { op: 'true' })),
  );
  const perFile = granularity(view) === 'file';
  const groups = new Map<string, { readonly ofOneFile: boolean; readonly files: DataFile[] }>();
  for await (const { file } of liveDeletes(view)) {
    if (file.content !== 'position-deletes' || isDeletionVector(file)) continue;
    if (!(filterOf(file.specId).matchesPartition?.(file.partition) ?? true)) continue;
    const path = perFile ? referencedPath(file) : null;
    const key = path === null ? `partition ${partitionKey(file.specId, file.partition)}` : `file ${path}`;
    const group = groups.get(key);
    if (group) group.files.push(file);
    else groups.set(key, { ofOneFile: path !== null, files: [file] });
  }
  const takesAll = options.rewriteAll === true || view.metadata.formatVersion >= 3;
  return [...groups.values()].flatMap(({ ofOneFile, files }) => {
    if (takesAll) return files;
    if (ofOneFile) return files.length > 1 ? files : [];
    return worthIt(files, sizes);
  });
}

/** As Iceberg Java's planner has it: enough files, more than one target file's worth of them, or one that is too large. */
function worthIt(files: readonly DataFile[], { target, min, max, minInputFiles }: Sizes): readonly DataFile[] {
  const candidates = files.filter(({ fileSizeInBytes: bytes }) => bytes < min || bytes > max);
  const bytes = candidates.reduce((sum, { fileSizeInBytes }) => sum + fileSizeInBytes, 0);
  const several = candidates.length > 1;
  const isWorthIt = (several && (candidates.length >= minInputFiles || bytes > target)) || bytes > max;
  return isWorthIt ? candidates : [];
}

function checkedSizes(options: SelectDeletesOptions, { properties }: TableMetadata): Sizes {
  const target = options.targetFileSizeBytes ?? tableProperty(properties, 'write.delete.target-file-size-bytes');
  const sizes = {
    target,
    min: options.minFileSizeBytes ?? Math.floor(target * 0.75),
    max: options.maxFileSizeBytes ?? Math.floor(target * 1.8),
    minInputFiles: options.minInputFiles ?? 5,
  };
  for (const [name, value] of Object.entries(sizes)) {
    if (Number.isSafeInteger(value) && value >= (name === 'min' ? 0 : 1)) continue;
    throw invalidArgument(`The limits of delete files must be positive whole numbers, not ${value}.`);
  }
  if (sizes.min < sizes.target && sizes.target < sizes.max) return sizes;
  throw invalidArgument(
    `Of delete files, minFileSizeBytes (${sizes.min}) must be below targetFileSizeBytes (${target}), and that below maxFileSizeBytes (${sizes.max}).`,
  );
}
