import { requestsAtOnce } from '../../io/requests-at-once.ts';
import { stringifyJson } from '../../spec/json.ts';
import { lookAhead } from '../../scan/look-ahead.ts';
import type { DataFile } from '../../spec/data-file.ts';
import { currentSchema, currentSpec } from '../../spec/metadata-accessors.ts';
import { NAME_MAPPING_PROPERTY, nameMappingOf, nameMappingToJson } from '../../spec/name-mapping.ts';
import { partitionSpecToJson } from '../../spec/partition-spec-json.ts';
import { schemaToJson } from '../../spec/schema-json.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import { checkWriteProperties } from '../../spec/table-properties.ts';
import type { Action, Updates } from '../action.ts';
import { findRef, parentOnBranch } from '../refs.ts';
import { snapshotChangeAction } from '../snapshot-change-action.ts';
import { refuseEncrypted } from '../stage-append.ts';
import { commitSummary } from '../transaction-options.ts';
import type { TransactionState } from '../transaction-state.ts';
import { describeFile } from './describe-file.ts';
import type { DescribeFileOptions } from './describe-file.ts';
import { DuplicateCheck } from './live-files.ts';
import { selectFiles } from './select-files.ts';
import type { FileSelection, SelectedFile } from './select-files.ts';

export interface AddFilesOptions extends Omit<DescribeFileOptions, 'signal'> {
  /** Whether to refuse files that the table has already; true if left out. It reads all manifests of the branch. */
  readonly checkDuplicates?: boolean | undefined;
}

/**
 * Reads the footers of Parquet files that exist, and makes the action that adds them where they are. What a manifest says
 * of a file depends on the table's schema, spec and name mapping: where others have changed these before it is
 * committed, it is worked out again.
 */
export async function addFilesAction(
  selection: FileSelection,
  options: AddFilesOptions,
  state: TransactionState,
): Promise<Action | null> {
  const { runtime, operations } = state.host;
  const { signal } = state.options;
  const concurrency = requestsAtOnce(operations.io, runtime);
  const selected = await selectFiles(operations.io, selection, { concurrency, signal });
  let described = await describeAll(selected, state.metadata, options, state);
  if (described.files.length === 0) return null;
  const duplicates = options.checkDuplicates === false ? null : new DuplicateCheck(operations.io);
  let change = appendOf(described, state);
  return {
    async build(metadata, attempt) {
      if (described.basis !== basisOf(metadata)) {
        described = await describeAll(selected, metadata, options, state);
        change = appendOf(described, state);
      }
      await duplicates?.check(described.files, parentOnBranch(metadata, state.branch), metadata, attempt);
      return [...nameMappingUpdates(described, metadata), ...(await change.build(metadata, attempt))];
    },
  };
}

interface DescribedFiles {
  readonly metadata: TableMetadata;
  readonly files: readonly DataFile[];
  readonly needNameMapping: boolean;
  /** What of the table they were described by. */
  readonly basis: string;
}

async function describeAll(
  selected: readonly SelectedFile[],
  metadata: TableMetadata,
  options: AddFilesOptions,
  { host, options: { signal, onProgress } }: TransactionState,
): Promise<DescribedFiles> {
  const { operations, runtime } = host;
  refuseEncrypted(metadata, operations.name);
  checkWriteProperties(metadata.properties);
  const files: DataFile[] = [];
  let needNameMapping = false;
  let [rows, bytes] = [0, 0];
  const all = lookAhead(selected, requestsAtOnce(operations.io, runtime), (file) =>
    describeFile(operations.io, file, metadata, { ...options, signal }),
  );
  for await (const { file, hasFieldIds } of all) {
    if (file === null) continue;
    files.push(file);
    needNameMapping ||= !hasFieldIds;
    rows += file.recordCount;
    bytes += file.fileSizeInBytes;
    onProgress?.({ rows, files: files.length, bytes });
  }
  return { metadata, files, needNameMapping, basis: basisOf(metadata) };
}

function basisOf(metadata: TableMetadata): string {
  const schema = stringifyJson(schemaToJson({ ...currentSchema(metadata), schemaId: 0 }));
  const spec = stringifyJson(partitionSpecToJson(currentSpec(metadata)));
  return [metadata.formatVersion, schema, spec, nameMappingText(metadata)].join('\n');
}

/** The table's own, or the one that it gets with the first files that need one. */
function nameMappingText(metadata: TableMetadata): string {
  return metadata.properties[NAME_MAPPING_PROPERTY] ?? nameMappingToJson(nameMappingOf(currentSchema(metadata)));
}

function appendOf({ files, metadata }: DescribedFiles, { base, branch, options }: TransactionState): Action {
  const { lastColumnId } = base.metadata;
  return snapshotChangeAction({
    baseSnapshotId: findRef(base.metadata, branch)?.snapshotId ?? null,
    branch,
    operation: 'append',
    addedData: [{ files, schema: currentSchema(metadata), spec: currentSpec(metadata), lastColumnId }],
    addedDeletes: [],
    removed: [],
    checks: {},
    summary: commitSummary(options),
  });
}

/** Files without ids are read by names from now on (spec: "Column Projection"). A mapping that is there stays. */
function nameMappingUpdates({ needNameMapping }: DescribedFiles, metadata: TableMetadata): Updates {
  if (!needNameMapping || metadata.properties[NAME_MAPPING_PROPERTY] !== undefined) return [];
  return [{ action: 'set-properties', updates: { [NAME_MAPPING_PROPERTY]: nameMappingText(metadata) } }];
}
