import type { JsonObject, JsonValue, MetadataColumn } from '@lh/core/engine';
import { atClause, isAtClause } from '../text/at-clause.ts';
import type { AtClause } from '../text/at-clause.ts';
import { applyEdits, byteOffsetMap } from '../text/edits.ts';
import type { Edit, EditedText } from '../text/edits.ts';
import { afterBracket, isKeyword, isName, isSymbol, nameChain } from '../text/tokens.ts';
import type { Token } from '../text/tokens.ts';
import { LEVEL_SEPARATOR } from '../text/level-separator.ts';
import { quoteName, quoteNames } from '../text/quote.ts';
import { isBareContextFunction, isContextFunction } from './context-calls.ts';
import type { ContextCall } from './context-calls.ts';
import { impliedStarPlace, metadataReference, starEdits, starPlace } from './metadata-references.ts';
import type { MetadataReference, SelectScope, Star } from './metadata-references.ts';
import { integer, isObject, list, object, text } from './serialized.ts';

/** One mention of a table in a query's FROM (or DESCRIBE, SUMMARIZE), with its place in the text. */
export interface TableReference {
  /** As written: `web.events` is ['web', 'events']. */
  readonly parts: readonly string[];
  readonly alias: string | null;
  /** The text of the name, UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
  readonly at: AtClause | null;
  /** The keyword before the name, where the name stands for a whole query: DESCRIBE, SUMMARIZE, TABLE and the like. */
  readonly verb: { readonly keyword: string; readonly start: number } | null;
}

/** A qualified column (`web.events.id`), which has to follow when its table gets another name. */
export interface ColumnReference {
  readonly parts: readonly string[];
  readonly start: number;
  readonly end: number;
}

/** `read_csv('…')` and its kin in a FROM clause. */
export interface FileRead {
  readonly alias: string | null;
  readonly name: string;
  /** The text of the call. */
  readonly start: number;
  readonly end: number;
}

export interface QueryReferences {
  readonly tables: readonly TableReference[];
  readonly columns: readonly ColumnReference[];
  /** Calls that read files: their plans can't all be serialized. */
  readonly fileReads: readonly FileRead[];
  readonly contextCalls: readonly ContextCall[];
  /** Functions called, in lower case. */
  readonly functions: ReadonlySet<string>;
  readonly selects: readonly SelectScope[];
  /** A SELECT has a column with a subquery and without a name, which is then the column's own text. */
  readonly hasUnnamedSubqueries: boolean;
}

/** Finds what a parsed query refers to. `tree` is `json_serialize_sql`'s answer for `sql`, `tokens` are of the same text. */
export function findReferences(sql: string, tokens: readonly Token[], tree: JsonObject): QueryReferences {
  const walker = new Walker(sql, tokens);
  walker.visit(tree, new Set());
  return walker;
}

/** A SELECT while its parts are being found. */
interface OpenScope extends SelectScope {
  readonly tables: TableReference[];
  readonly stars: Star[];
  readonly columns: MetadataReference[];
  readonly nodes: JsonObject[];
  hasNaturalJoin: boolean;
}

class Walker implements QueryReferences {
  readonly tables: TableReference[] = [];
  readonly columns: ColumnReference[] = [];
  readonly fileReads: FileRead[] = [];
  readonly contextCalls: ContextCall[] = [];
  readonly functions = new Set<string>();
  readonly selects: OpenScope[] = [];
  hasUnnamedSubqueries = false;
  #select: OpenScope | null = null;
  readonly #sql: string;
  readonly #tokens: readonly Token[];
  readonly #toOffset: (byteOffset: number) => number;
  readonly #tokenAt: ReadonlyMap<number, number>;

  constructor(sql: string, tokens: readonly Token[]) {
    this.#sql = sql;
    this.#tokens = tokens;
    this.#toOffset = byteOffsetMap(sql);
    this.#tokenAt = new Map(tokens.map((token, index) => [token.start, index]));
  }

  /** `scope` holds the names of common table expressions that are visible here, in lower case. */
  visit(value: JsonValue | undefined, scope: ReadonlySet<string>): void {
    if (Array.isArray(value)) {
      for (const item of value as readonly JsonValue[]) this.visit(item, scope);
      return;
    }
    if (!isObject(value)) return;
    const type = text(value['type']);
    if (type === 'SELECT_NODE') {
      this.#selectNode(value, scope);
      return;
    }
    if (type === 'BASE_TABLE') this.#table(value, scope);
    else if (type === 'COLUMN_REF') this.#column(value);
    else if (type === 'TABLE_FUNCTION') this.#fileRead(value);
    else if (type === 'FUNCTION') this.#function(value);
    else if (type === 'STAR') this.#select?.nodes.push(value);
    else if (type === 'JOIN' && this.#select && text(value['ref_type']) === 'NATURAL')
      this.#select.hasNaturalJoin = true;
    this.#children(value, scope);
  }

  #selectNode(node: JsonObject, scope: ReadonlySet<string>): void {
    const parent = this.#select;
    const select: OpenScope = { parent, tables: [], stars: [], columns: [], nodes: [], hasNaturalJoin: false };
    this.selects.push(select);
    this.#select = select;
    this.hasUnnamedSubqueries ||= list(node['select_list']).some(isUnnamedSubquery);
    this.#children(node, scope);
    this.#select = parent;
    for (const star of select.nodes) this.#star(star, select);
  }

  #star(node: JsonObject, { tables, stars }: OpenScope): void {
    const location = integer(node['query_location']);
    const token = location === null ? undefined : this.#tokenAt.get(this.#toOffset(location));
    const place =
      (token === undefined ? null : starPlace(this.#tokens, token)) ?? impliedStarPlace(this.#tokens, tables[0]);
    if (!place) return;
    const excluded = list(node['exclude_list']).map((name) => (text(name) ?? '').toLowerCase());
    stars.push({ relation: text(node['relation_name']), place, excluded: new Set(excluded) });
  }

  #children(node: JsonObject, scope: ReadonlySet<string>): void {
    let inner = scope;
    // A common table expression sees those before it; itself only if it is recursive (then its node has `cte_name`).
    for (const entry of list(object(node['cte_map'])['map'])) {
      this.visit(object(entry)['value'], inner);
      inner = withName(inner, text(object(entry)['key']));
    }
    const own = text(node['cte_name']) ?? text(node['ctename']);
    if (own !== null) inner = withName(inner, own);
    for (const [key, child] of Object.entries(node)) {
      if (key !== 'cte_map') this.visit(child, inner);
    }
  }

  #table(node: JsonObject, scope: ReadonlySet<string>): void {
    const parts = [text(node['catalog_name']), text(node['schema_name']), text(node['table_name'])]
      .filter((part) => part !== null && part !== '')
      .flatMap((part) => part!.split(LEVEL_SEPARATOR));
    if (parts.length === 1 && scope.has(parts[0]!.toLowerCase())) return;
    const chain = this.#chainAt(node);
    if (!chain || !sameNames(chain.parts, parts)) return;
    const at = isObject(node['at_clause']) ? this.#atClause(chain.next) : null;
    const before = this.#tokens[chain.first - 1];
    const verb = isKeyword(before, ...WHOLE_QUERY_VERBS)
      ? { keyword: before!.value.toLowerCase(), start: before!.start }
      : null;
    const table = { parts, alias: text(node['alias']), start: chain.start, end: chain.end, at, verb };
    this.tables.push(table);
    this.#select?.tables.push(table);
  }

  #column(node: JsonObject): void {
    const parts = list(node['column_names']).map((part) => text(part) ?? '');
    const metadata = metadataReference(parts);
    if (metadata) this.#select?.columns.push(metadata);
    const isBare = parts.length === 1 && isBareContextFunction(parts[0]!.toLowerCase());
    if (parts.length < 3 && !isBare) return;
    const chain = this.#chainAt(node);
    if (isBare) {
      // A quoted name can only be a column.
      const isWord = chain && this.#tokens[chain.first]!.kind === 'word';
      if (isWord) this.contextCalls.push({ name: parts[0]!.toLowerCase(), start: chain.start, end: chain.end });
    } else if (chain && sameNames(chain.parts, parts)) this.columns.push({ parts, start: chain.start, end: chain.end });
  }

  #function(node: JsonObject): void {
    const name = (text(node['function_name']) ?? '').toLowerCase();
    this.functions.add(name);
    if (!isContextFunction(name)) return;
    const chain = this.#chainAt(node);
    if (!chain || !isSymbol(this.#tokens[chain.next], '(')) {
      // Where it stands can't be told, so that its value can't be put there.
      this.contextCalls.push({ name, start: -1, end: -1 });
      return;
    }
    this.contextCalls.push({
      name,
      start: chain.start,
      end: this.#tokens[afterBracket(this.#tokens, chain.next) - 1]!.end,
    });
  }

  #fileRead(node: JsonObject): void {
    const name = text(object(node['function'])['function_name']) ?? '';
    const chain = FILE_FUNCTIONS.test(name) ? this.#chainAt(node) : null;
    if (!chain || !isSymbol(this.#tokens[chain.next], '(')) return;
    const end = this.#tokens[afterBracket(this.#tokens, chain.next) - 1]!.end;
    this.fileReads.push({ alias: text(node['alias']), name, start: chain.start, end });
  }

  #chainAt(node: JsonObject): PlacedChain | null {
    const location = integer(node['query_location']);
    if (location === null) return null;
    const first = this.#tokenAt.get(this.#toOffset(location));
    if (first === undefined) return null;
    const token = this.#tokens[first]!;
    // FROM 'file.parquet' is a table reference too.
    if (token.kind === 'string') {
      return { parts: [stringValue(token)], first, next: first + 1, start: token.start, end: token.end };
    }
    const chain = nameChain(this.#tokens, first);
    if (!chain) return null;
    const parts = chain.parts.flatMap((part) => part.split(LEVEL_SEPARATOR));
    return { parts, first, next: chain.next, start: token.start, end: this.#tokens[chain.next - 1]!.end };
  }

  /** The clause follows the name and its alias: `name [AS] alias (columns) AT (VERSION => …)`. */
  #atClause(afterName: number): AtClause | null {
    const tokens = this.#tokens;
    let i = afterName;
    if (!isAtClause(tokens, i)) {
      if (isKeyword(tokens[i], 'as')) i++;
      if (isName(tokens[i]) || tokens[i]?.kind === 'string') i++;
      if (isSymbol(tokens[i], '(')) i = afterBracket(tokens, i);
    }
    return atClause(this.#sql, tokens, i);
  }
}

interface PlacedChain {
  readonly parts: readonly string[];
  /** Indexes of tokens: the first, and the one after the last. */
  readonly first: number;
  readonly next: number;
  readonly start: number;
  readonly end: number;
}

const FILE_FUNCTIONS = /^(?:read_|sniff_|parquet_|glob$|sqlite_scan|postgres_scan)/;
const WHOLE_QUERY_VERBS = ['table', 'describe', 'desc', 'summarize', 'show'] as const;

function isUnnamedSubquery(column: JsonValue): boolean {
  return (text(object(column)['alias']) ?? '') === '' && holdsSubquery(column);
}

function holdsSubquery(value: JsonValue): boolean {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).some(holdsSubquery);
  return isObject(value) && (value['class'] === 'SUBQUERY' || Object.values(value).some(holdsSubquery));
}

function withName(scope: ReadonlySet<string>, name: string | null): ReadonlySet<string> {
  return name === null ? scope : new Set(scope).add(name.toLowerCase());
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name.toLowerCase() === b[i]!.toLowerCase());
}

function stringValue(token: Token): string {
  return token.value.slice(1, -1).replaceAll("''", "'");
}

/** What takes a table's place: a table's name, or a query. */
export interface Replacement {
  readonly reference: TableReference;
  readonly by: { readonly name: string } | { readonly query: string };
  /** Columns that it has beside those of `*`. */
  readonly metadataColumns?: readonly MetadataColumn[];
}

/** A table in the place of a call that reads files. */
export interface FileReplacement {
  readonly read: FileRead;
  readonly name: string;
}

/**
 * Puts replacements in the place of tables. A table keeps the name that the query knows it by: its alias, or its last
 * name; columns qualified further (`web.events.id`) lose what is in front of that.
 */
export function replaceTables(
  sql: string,
  references: QueryReferences,
  replacements: readonly Replacement[],
  files: readonly FileReplacement[] = [],
  others: readonly Edit[] = [],
): EditedText {
  const edits: Edit[] = [...others];
  for (const { read, name } of files) {
    const alias = read.alias === null ? ` AS ${quoteName(read.name)}` : '';
    edits.push({ start: read.start, end: read.end, text: `${quoteName(name)}${alias}` });
  }
  const names = visibleNames(replacements.map((replacement) => replacement.reference));
  const exposed = replacements.map(({ reference, metadataColumns = [] }) => {
    return { reference, name: reference.alias ?? names.get(reference)!, columns: metadataColumns };
  });
  edits.push(...starEdits(references.selects, exposed));
  for (const { reference, by } of replacements) {
    const { start, end, alias, at, verb } = reference;
    const table = 'name' in by ? quoteName(by.name) : `(${by.query})`;
    const named = `${table}${alias === null ? ` AS ${quoteName(names.get(reference)!)}` : ''}`;
    if (verb === null) edits.push({ start, end, text: named });
    // `TABLE x` is `FROM x`; the others take a query in the place of a name.
    else edits.push({ start: verb.keyword === 'table' ? verb.start : start, end, text: `FROM ${named}` });
    if (at) edits.push({ start: at.start, end: at.end, text: '' });
  }
  for (const column of references.columns) {
    const table = replacements.find(
      ({ reference: { alias, parts } }) =>
        alias === null &&
        parts.length > 1 &&
        column.parts.length > parts.length &&
        sameNames(parts, column.parts.slice(0, parts.length)),
    );
    if (!table) continue;
    const { parts } = table.reference;
    const rest = [names.get(table.reference)!, ...column.parts.slice(parts.length)];
    edits.push({ start: column.start, end: column.end, text: quoteNames(rest) });
  }
  return applyEdits(sql, edits);
}

/** Two tables of one name and different namespaces (`a.t, b.t`) go by their full names, so that each can be told. */
function visibleNames(references: readonly TableReference[]): ReadonlyMap<TableReference, string> {
  const bare = references.filter((reference) => reference.alias === null);
  return new Map(
    bare.map((reference) => {
      const last = ownName(reference);
      const clash = bare.some(
        (other) => ownName(other).toLowerCase() === last.toLowerCase() && !sameNames(other.parts, reference.parts),
      );
      return [reference, clash ? reference.parts.join('.') : last];
    }),
  );
}

/** The name that a query knows an unaliased table by; DuckDB calls a file by its name without folders and extension. */
function ownName({ parts }: TableReference): string {
  const last = parts.at(-1)!;
  return parts.length === 1 ? (/([^/\\]+)\.[A-Za-z0-9]+$/.exec(last)?.[1] ?? last) : last;
}
