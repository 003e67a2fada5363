import type { MetadataColumn } from '@lh/core/engine';
import { isMetadataColumn } from '@lh/core/engine';
import type { Edit } from '../text/edits.ts';
import { isKeyword, isName, isSymbol } from '../text/tokens.ts';
import type { Token } from '../text/tokens.ts';
import { quoteName, quoteNames } from '../text/quote.ts';
import type { TableReference } from './table-references.ts';

/** One SELECT of a query, with what is directly in it. */
export interface SelectScope {
  readonly parent: SelectScope | null;
  /** Tables of its FROM, but for those inside subqueries. */
  readonly tables: readonly TableReference[];
  readonly stars: readonly Star[];
  /** Columns that have the name of a metadata column. */
  readonly columns: readonly MetadataReference[];
  /** NATURAL JOIN compares all columns of the same name. */
  readonly hasNaturalJoin: boolean;
}

export interface MetadataReference {
  readonly name: MetadataColumn;
  readonly qualifier: readonly string[];
}

/** `*`, `t.*` or `COLUMNS(*)`. */
export interface Star {
  readonly relation: string | null;
  /** Where `EXCLUDE` goes: behind the star, or where a whole SELECT is missing. */
  readonly place: StarPlace;
  /** Names that are excluded already, in lower case. */
  readonly excluded: ReadonlySet<string>;
}

export type StarPlace =
  | { readonly kind: 'bare'; readonly at: number }
  | { readonly kind: 'list'; readonly at: number }
  | { readonly kind: 'name'; readonly start: number; readonly end: number }
  | { readonly kind: 'select'; readonly at: number };

/** A metadata column, if that is what a name in a query may stand for. */
export function metadataReference(parts: readonly string[]): MetadataReference | null {
  const name = parts.at(-1)?.toLowerCase() ?? '';
  return isMetadataColumn(name) ? { name, qualifier: parts.slice(0, -1) } : null;
}

/** Where a star is; `first` is the index of its first token. Null if it isn't understood. */
export function starPlace(tokens: readonly Token[], first: number): StarPlace | null {
  let i = first;
  while (isName(tokens[i]) || isSymbol(tokens[i], '.') || isSymbol(tokens[i], '(')) i++;
  if (!isSymbol(tokens[i], '*')) return null;
  const [word, next] = [tokens[i + 1], tokens[i + 2]];
  if (!isKeyword(word, 'exclude')) return { kind: 'bare', at: tokens[i]!.end };
  if (isSymbol(next, '(')) return { kind: 'list', at: next!.end };
  return next ? { kind: 'name', start: next.start, end: next.end } : null;
}

/** `FROM t` without SELECT has a star that isn't in the text. */
export function impliedStarPlace(tokens: readonly Token[], table: TableReference | undefined): StarPlace | null {
  const i = tokens.findIndex(({ start }) => start === table?.start);
  return isKeyword(tokens[i - 1], 'from') ? { kind: 'select', at: tokens[i - 1]!.start } : null;
}

/** What the planner and DuckDB have to know of a table whose metadata columns are asked for. */
export interface Exposed {
  readonly reference: TableReference;
  /** The name that the query knows the table by. */
  readonly name: string;
  readonly columns: readonly MetadataColumn[];
}

/** Which metadata columns a query asks a table for. `hasColumn` tells of any table of the query whether it has a column. */
export function metadataColumnsOf(
  selects: readonly SelectScope[],
  table: TableReference,
  hasColumn: (reference: TableReference, name: string) => boolean,
): readonly MetadataColumn[] {
  const found = new Set<MetadataColumn>();
  for (const select of selects) {
    for (const { name, qualifier } of select.columns) {
      const scope = enclosing(select).find(({ tables }) => tables.some((one) => answers(one, qualifier)));
      if (!scope || scope.hasNaturalJoin || !scope.tables.includes(table) || !answers(table, qualifier)) continue;
      const isOwn = scope.tables.some((one) => answers(one, qualifier) && hasColumn(one, name));
      if (!isOwn) found.add(name);
    }
  }
  return [...found];
}

function enclosing(select: SelectScope): readonly SelectScope[] {
  return select.parent === null ? [select] : [select, ...enclosing(select.parent)];
}

/** Whether a qualifier, or none, may mean a table. */
function answers({ alias, parts }: TableReference, qualifier: readonly string[]): boolean {
  if (qualifier.length === 0) return true;
  const names = alias === null ? parts.slice(-qualifier.length) : [alias];
  return (
    names.length === qualifier.length && names.every((name, i) => name.toLowerCase() === qualifier[i]!.toLowerCase())
  );
}

/** Metadata columns are no part of `*`. */
export function starEdits(selects: readonly SelectScope[], exposed: readonly Exposed[]): readonly Edit[] {
  return selects.flatMap(({ tables, stars }) =>
    stars.flatMap(({ relation, place, excluded }) => {
      const columns = exposed
        .filter(({ reference }) => tables.includes(reference))
        .filter(({ reference }) => relation === null || answers(reference, [relation]))
        .flatMap((one) => one.columns.map((column) => ({ table: one.name, column })))
        .filter(({ column }) => !excluded.has(column))
        .map(({ table, column }) => (relation === null ? quoteNames([table, column]) : quoteName(column)));
      return columns.length === 0 ? [] : starEdit(place, columns.join(', '));
    }),
  );
}

function starEdit(place: StarPlace, columns: string): readonly Edit[] {
  switch (place.kind) {
    case 'bare':
      return [{ start: place.at, end: place.at, text: ` EXCLUDE (${columns})` }];
    case 'list':
      return [{ start: place.at, end: place.at, text: `${columns}, ` }];
    case 'name':
      return [
        { start: place.start, end: place.start, text: `(${columns}, ` },
        { start: place.end, end: place.end, text: ')' },
      ];
    case 'select':
      return [{ start: place.at, end: place.at, text: `SELECT * EXCLUDE (${columns}) ` }];
  }
}
