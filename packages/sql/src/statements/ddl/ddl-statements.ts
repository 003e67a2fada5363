import type { StatementParser } from '../catalog-statement.ts';
import { alterTable } from './alter-table.ts';
import { commentOn } from './comment-on.ts';
import { createTable } from './create-table.ts';
import { dropTable } from './drop-table.ts';
import { createNamespace, dropNamespace, useNamespace } from './namespaces.ts';
import { showStatement } from './show.ts';

/** Statements about what there is: tables and namespaces. */
export const DDL_STATEMENTS: readonly StatementParser[] = [
  createTable,
  alterTable,
  dropTable,
  commentOn,
  createNamespace,
  dropNamespace,
  useNamespace,
  showStatement,
];
