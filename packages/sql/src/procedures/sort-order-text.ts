import { isLakehouseError } from '@lh/core';
import type { SortFieldInput } from '@lh/core';
import { invalidArgument } from '@lh/core/engine';
import { readSortField } from '../statements/ddl/partition-fields.ts';
import { TokenReader } from '../statements/token-reader.ts';
import { isSymbol, tokenize } from '../text/tokens.ts';

export type SortOrderText = { readonly sortBy: readonly SortFieldInput[] } | { readonly zOrderBy: readonly string[] };

/** `id DESC NULLS LAST, days(ts)`, or `zorder(id, city)`. INVALID_ARGUMENT for anything else. */
export function sortOrderText(text: string): SortOrderText {
  try {
    const sql = text.replaceAll('`', '"');
    return readSortOrder(new TokenReader({ sql, tokens: tokenize(sql), source: text, toSource: (offset) => offset }));
  } catch (error) {
    if (!isLakehouseError(error, 'INVALID_ARGUMENT')) throw error;
    throw invalidArgument(
      `'${text}' is no sort order: write 'id DESC NULLS LAST, city' or 'zorder(id, city)', with names of columns. ${error.message}`,
    );
  }
}

function readSortOrder(reader: TokenReader): SortOrderText {
  if (reader.isAt('zorder') && isSymbol(reader.peek(1), '(')) {
    reader.take('zorder');
    const columns = reader.brackets('the columns');
    const zOrderBy = columns.list(() => columns.name('a column').join('.'));
    columns.end();
    reader.end();
    return { zOrderBy };
  }
  const sortBy = reader.list(() => readSortField(reader));
  reader.end();
  return { sortBy };
}
