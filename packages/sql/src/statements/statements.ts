import { callOfProcedure } from './call.ts';
import type { CatalogStatement, StatementParser } from './catalog-statement.ts';
import { DDL_STATEMENTS } from './ddl/ddl-statements.ts';
import { copyStatement } from './copy/copy.ts';
import { createTableAs } from './create-table-as.ts';
import { describeTable } from './describe.ts';
import { insertStatement } from './insert/insert.ts';
import { changeOfRows } from './row-changes/row-change.ts';
import { transactionStatement } from './transaction/transaction-statement.ts';
import { truncateTable } from './truncate.ts';
import { macroStatement } from './macro.ts';
import { viewStatement } from './view.ts';
import type { StatementText } from './statement-text.ts';

/** By their first words no two of them take the same statement. */
const PARSERS: readonly StatementParser[] = [
  describeTable,
  callOfProcedure,
  transactionStatement,
  insertStatement,
  createTableAs,
  copyStatement,
  truncateTable,
  changeOfRows,
  viewStatement,
  macroStatement,
  ...DDL_STATEMENTS,
];

/** The statement, if it is one that DuckDB doesn't know or must not run. */
export function catalogStatement(text: StatementText): CatalogStatement | null {
  for (const parse of PARSERS) {
    const statement = parse(text);
    if (statement !== null) return statement;
  }
  return null;
}
