import { unsupported } from '@lh/core/engine';
import { keywordReferences } from '../query/keyword-references.ts';
import { resolveRead } from '../query/resolve-read.ts';
import { isKeyword } from '../text/tokens.ts';
import type { CatalogStatement } from './catalog-statement.ts';
import type { StatementText } from './statement-text.ts';

/** `CREATE [OR REPLACE] [TEMP] MACRO | FUNCTION`: DuckDB's, as long as it reads no table of a catalog. */
export function macroStatement({ sql, tokens }: StatementText): CatalogStatement | null {
  if (!isKeyword(tokens[0], 'create')) return null;
  const what = tokens.slice(1).find((token) => !isKeyword(token, 'or', 'replace', 'temp', 'temporary'));
  if (!isKeyword(what, 'macro', 'function')) return null;
  return {
    async run({ resolver, views }) {
      for (const { parts } of keywordReferences(sql, tokens).tables) {
        const isView = parts.length === 1 && views.has(parts[0]!);
        if (!isView && !(await resolveRead(resolver, parts))) continue;
        throw unsupported(
          `A macro can't read '${parts.join('.')}': DuckDB doesn't know tables of catalogs. Make a view of it (CREATE VIEW), or give the macro the values.`,
        );
      }
      return null;
    },
  };
}
