import { bindExpression } from '../../expr/bind.ts';
import { toExpression } from '../../expr/filter-input.ts';
import type { FilterInput } from '../../expr/filter-input.ts';
import type { StagedData } from '../staged-data.ts';
import { stageDeletion } from './delete-rows.ts';
import { rowChange } from './row-change.ts';
import { rowLevelSettings } from './row-level-settings.ts';
import type { RowLevelOptions } from './row-level-settings.ts';
import type { RowOperation } from './row-operation.ts';

export interface OverwriteOptions extends RowLevelOptions {
  /** The rows to be replaced: those for which it is TRUE. All rows of the table if left out. */
  readonly filter?: FilterInput | undefined;
  /** Adds columns that the data has and the table lacks, by name, in the same commit. */
  readonly mergeSchema?: boolean | undefined;
}

/** Puts rows, which are written already, in the place of those for which a filter is TRUE. */
export function overwriteRows(added: StagedData | null, { filter, ...options }: OverwriteOptions): RowOperation {
  const expression = filter === undefined ? ({ op: 'true' } as const) : toExpression(filter);
  return {
    async plan(view) {
      const scope = bindExpression(view.schema, expression);
      const { addedData, ...deletion } = await stageDeletion(scope, rowLevelSettings('delete', options, view), view);
      return rowChange(view, { ...deletion, addedData: added === null ? addedData : [added, ...addedData] });
    },
  };
}
