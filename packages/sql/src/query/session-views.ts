import { LakehouseError } from '@lh/core';
import { invalidArgument } from '@lh/core/engine';
import type { Planner } from '../plan/planner.ts';
import { applyEdits } from '../text/edits.ts';
import type { Edit } from '../text/edits.ts';
import { quoteName } from '../text/quote.ts';
import { isKeyword, pointAt, tokenize } from '../text/tokens.ts';
import type { Token } from '../text/tokens.ts';
import { keywordReferences } from './keyword-references.ts';
import type { QueryText } from './query-text.ts';
import { findReferences } from './table-references.ts';
import type { TableReference } from './table-references.ts';

/** A view of the session over tables of catalogs, which DuckDB can't have. */
export interface SessionView {
  readonly name: string;
  /** Names for its columns; those of the query if there are none. */
  readonly columns: readonly string[];
  /** The query, with parameters in place. */
  readonly sql: string;
}

interface KnownView extends SessionView {
  readonly references: readonly TableReference[];
}

/**
 * The session's views over tables of catalogs. Where a query mentions one, the view's query goes in front of it as a
 * common table expression: nothing in the query can then mean something else in the view. It reads what its tables are
 * when the query runs.
 */
export class SessionViews {
  readonly #planner: Planner;
  readonly #views = new Map<string, KnownView>();

  constructor(planner: Planner) {
    this.#planner = planner;
  }

  has(name: string): boolean {
    return this.#views.has(name.toLowerCase());
  }

  /** Makes a view, in the place of one with its name. INVALID_ARGUMENT for one that is about itself. */
  async put(view: SessionView): Promise<void> {
    const references = await this.references(view.sql);
    const known = { ...view, references };
    if (this.#below(references).some(({ name }) => sameName(name, view.name))) {
      throw invalidArgument(`The view '${view.name}' would be about itself.`);
    }
    this.#views.set(view.name.toLowerCase(), known);
  }

  /** True if there was one. */
  remove(name: string): boolean {
    return this.#views.delete(name.toLowerCase());
  }

  /** The tables and views that a query mentions. */
  async references(sql: string): Promise<readonly TableReference[]> {
    const tokens = tokenize(sql);
    const parsed = await this.#planner.parse(sql);
    return (parsed.ok ? findReferences(sql, tokens, parsed.root) : keywordReferences(sql, tokens)).tables;
  }

  /** The query with the queries of the views that it mentions; the same one if there are none. */
  async expand(query: QueryText): Promise<QueryText> {
    const tokens = this.#views.size === 0 ? [] : tokenize(query.sql);
    if (!tokens.some(({ value }) => this.has(value))) return query;
    const mentions = this.#mentions(await this.references(query.sql));
    const [first] = mentions;
    if (!first) return query;
    for (const { reference } of mentions) refuseVersion(reference, query);
    const views = this.#below(mentions.map(({ reference }) => reference));
    const ids = new Map(views.map(({ name }, i) => [name.toLowerCase(), `__lh_view_${i}`]));
    const tables = views.map((view) => this.#tableExpression(view, ids)).join(', ');
    const prefix = frontEdit(tokens, tables);
    const edits = mentions.map(({ reference, view }) => mentionEdit(reference, ids.get(view)!, tables));
    const isInFront = mentions.some(({ reference }) => !isAlone(reference));
    const edited = applyEdits(query.sql, isInFront ? [prefix, ...edits] : edits);
    const from = prefix.start;
    const until = from + prefix.text.length;
    const toSource = (offset: number): number =>
      // What is wrong in a view is shown where the view is mentioned.
      isInFront && offset >= from && offset < until
        ? query.toSource(first.reference.start)
        : query.toSource(edited.toOriginal(offset));
    return { sql: edited.text, source: query.source, toSource };
  }

  #mentions(references: readonly TableReference[]): readonly Mention[] {
    return references.flatMap((reference) => {
      const name = reference.parts.length === 1 ? reference.parts[0]!.toLowerCase() : '';
      return this.#views.has(name) ? [{ reference, view: name }] : [];
    });
  }

  /** The views that are mentioned, those that they mention before them. */
  #below(references: readonly TableReference[]): readonly KnownView[] {
    const found = new Set<KnownView>();
    const add = (mentioned: readonly TableReference[]): void => {
      for (const { view } of this.#mentions(mentioned)) {
        const known = this.#views.get(view)!;
        if (found.has(known)) continue;
        add(known.references);
        found.add(known);
      }
    };
    add(references);
    return [...found];
  }

  #tableExpression(view: KnownView, ids: ReadonlyMap<string, string>): string {
    const edits = this.#mentions(view.references).map(({ reference, view: other }): Edit => {
      const { start, end, alias } = reference;
      return { start, end, text: named(ids.get(other)!, alias, reference) };
    });
    const columns = view.columns.length === 0 ? '' : `(${view.columns.map(quoteName).join(', ')})`;
    const id = quoteName(ids.get(view.name.toLowerCase())!);
    // Lines of their own, as the text may end in a comment.
    return `${id}${columns} AS NOT MATERIALIZED (\n${applyEdits(view.sql, edits).text}\n)`;
  }
}

interface Mention {
  readonly reference: TableReference;
  /** The view's name, in lower case. */
  readonly view: string;
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function refuseVersion({ at, parts, start }: TableReference, { source, toSource }: QueryText): void {
  if (at === null) return;
  throw new LakehouseError(
    'INVALID_ARGUMENT',
    `'${parts[0]}' is a view, which has no versions: put AT behind the tables in it.\n${pointAt(source, toSource(start))}`,
    { context: { position: toSource(start) } },
  );
}

/** In front of the query, or in front of its own common table expressions. */
function frontEdit(tokens: readonly Token[], tables: string): Edit {
  if (!isKeyword(tokens[0], 'with')) return { start: 0, end: 0, text: `WITH ${tables} ` };
  const at = tokens[isKeyword(tokens[1], 'recursive') ? 1 : 0]!.end;
  return { start: at, end: at, text: ` ${tables},` };
}

/** A statement that takes a name in the place of a query, and nothing in front: `DESCRIBE v`. */
function isAlone({ verb }: TableReference): boolean {
  return verb !== null && verb.keyword !== 'table';
}

function mentionEdit(reference: TableReference, id: string, tables: string): Edit {
  const { start, end, alias, verb } = reference;
  // `TABLE v` is `FROM v`.
  if (verb?.keyword === 'table') return { start: verb.start, end, text: `FROM ${named(id, alias, reference)}` };
  if (!isAlone(reference)) return { start, end, text: named(id, alias, reference) };
  return { start, end, text: `FROM (WITH ${tables} FROM ${quoteName(id)}) AS ${quoteName(reference.parts[0]!)}` };
}

function named(id: string, alias: string | null, { parts }: TableReference): string {
  return alias === null ? `${quoteName(id)} AS ${quoteName(parts[0]!)}` : quoteName(id);
}
