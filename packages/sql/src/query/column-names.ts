import { quoteName } from '../text/quote.ts';
import type { TableReference } from './table-references.ts';

/** A mention of a table, and the table that stood for it while the query was planned. */
export interface Shadowed {
  readonly reference: TableReference;
  readonly shadow: string;
}

/**
 * DuckDB names a column without an alias by its text, in a form of its own. In the text that was planned shadows stand
 * for tables: these are the names with the tables as the user called them.
 */
export function ownColumnNames(names: readonly string[], mentions: readonly Shadowed[]): readonly string[] {
  return names.map((name) =>
    mentions.reduce((text, { reference, shadow }) => {
      const { parts, alias, at } = reference;
      const time = at === null ? '' : ` AT (${at.unit} => ${at.expression})`;
      const own = `${parts.map(shownName).join('.')}${time}`;
      // A table without an alias was given one, so that its columns find it.
      const shown =
        alias === null
          ? new RegExp(`\\b${shadow} AS (?:\\w+|"(?:[^"]|"")*")`, 'g')
          : new RegExp(`\\b${shadow}\\b`, 'g');
      return text.replaceAll(shown, () => own);
    }, name),
  );
}

function shownName(part: string): string {
  return /^[A-Za-z_]\w*$/.test(part) ? part : quoteName(part);
}

/** The same rows under other names. */
export function withColumnNames(sql: string, names: readonly string[]): string {
  const columns = names.map((name, i) => `c${i} AS ${quoteName(name)}`);
  return `SELECT ${columns.join(', ')} FROM (${sql}) AS named(${names.map((_, i) => `c${i}`).join(', ')})`;
}
