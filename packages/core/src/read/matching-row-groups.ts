import type { ParquetFooter } from '../formats/parquet/footer.ts';
import { parquetFields, statisticsOf } from '../formats/parquet/data-file-reader.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import type { NameMapping } from '../spec/name-mapping.ts';
import { absentLeaves, partitionConstants } from './absent-values.ts';
import { fileFields } from './file-fields.ts';
import { rowGroupFilter } from './row-groups.ts';

/**
 * The row groups of a task's Parquet file that hold rows, and may hold some that match its residual. INVALID_DATA for a
 * file without field ids in a table without a name mapping.
 */
export function matchingRowGroups(
  footer: ParquetFooter,
  task: FileScanTask,
  nameMapping: NameMapping | null,
): readonly number[] {
  const fields = fileFields(parquetFields(footer), nameMapping, task.file.path);
  const absent = absentLeaves(task.schema, fields, partitionConstants(task));
  const mayMatch = rowGroupFilter(task.residual, task.schema, fields, absent);
  const statistics = statisticsOf(footer);
  return footer.rowGroups.flatMap((group, i) => {
    if (group.rowCount === 0) return [];
    return mayMatch === undefined || mayMatch(statistics(group)) ? [i] : [];
  });
}
