import type { StatementParser } from '../catalog-statement.ts';
import { createTable } from './create-table.ts';
import { dropTable } from './drop-table.ts';

/** Statements about what there is: tables, their definitions, namespaces. */
export const DDL_STATEMENTS: readonly StatementParser[] = [createTable, dropTable];
