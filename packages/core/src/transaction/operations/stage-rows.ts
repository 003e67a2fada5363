import type { MetadataColumn } from '../../read/metadata-columns.ts';
import { currentSpec } from '../../spec/metadata-accessors.ts';
import type { BatchInput } from '../../write/data-file-writer.ts';
import type { StagedData } from '../staged-data.ts';
import { stagingOptions } from '../staging-options.ts';
import { refuseEncrypted } from '../stage-append.ts';
import { schemaWithLineage } from './row-lineage.ts';
import type { TableView } from './table-view.ts';

/** Writes batches of the table's columns, and the lineage behind them, as data files of the current spec. */
export async function stageRows(
  batches: BatchInput,
  lineage: readonly MetadataColumn[],
  { metadata, schema, state }: TableView,
): Promise<StagedData> {
  refuseEncrypted(metadata, state.host.operations.name);
  const options = stagingOptions(metadata, state, schemaWithLineage(schema, lineage));
  const files = await state.host.writer.writeDataFiles(batches, options);
  return { files, schema, spec: currentSpec(metadata), lastColumnId: state.base.metadata.lastColumnId };
}
