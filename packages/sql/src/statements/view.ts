import { LakehouseError } from '@lh/core';
import { unsupported } from '@lh/core/engine';
import { resolveRead } from '../query/resolve-read.ts';
import { applyEdits } from '../text/edits.ts';
import type { Edit } from '../text/edits.ts';
import { LEVEL_SEPARATOR } from '../text/level-separator.ts';
import { quoteName } from '../text/quote.ts';
import { isKeyword, nameChain } from '../text/tokens.ts';
import type { CatalogStatement, StatementContext, StatementOutcome } from './catalog-statement.ts';
import { TokenReader } from './token-reader.ts';
import type { StatementText } from './statement-text.ts';

/** `CREATE [OR REPLACE] [TEMP] VIEW [IF NOT EXISTS] name [(columns)] AS query`. */
export interface CreateView {
  readonly parts: readonly string[];
  readonly columns: readonly string[];
  readonly replaces: boolean;
  readonly ifNotExists: boolean;
  readonly query: string;
}

/** `DROP VIEW [IF EXISTS] name`. */
export interface DropView {
  readonly parts: readonly string[];
}

/** Views of the session over tables of catalogs; all others are DuckDB's. */
export function viewStatement(text: StatementText): CatalogStatement | null {
  const created = createView(text);
  if (created) return { run: (context) => runCreate(created, context) };
  const dropped = dropView(text);
  if (dropped) return { run: (context) => runDrop(dropped, context) };
  const table = temporaryTable(text);
  return table && { run: (context) => makeRoom(table, context) };
}

/** Null for any other statement. */
export function createView(text: StatementText): CreateView | null {
  const reader = new TokenReader(text);
  if (!reader.take('create')) return null;
  const replaces = reader.take('or', 'replace');
  reader.takeOneOf('temp', 'temporary');
  if (!reader.take('view')) return null;
  const ifNotExists = reader.take('if', 'not', 'exists');
  const parts = reader.name("the view's name");
  const columns = reader.isAtSymbol('(') ? columnNames(reader.brackets('the names of columns')) : [];
  reader.expect('as');
  const query = reader.rest();
  if (query === '') throw reader.unexpected('a query');
  return { parts, columns, replaces, ifNotExists, query };
}

function columnNames(reader: TokenReader): readonly string[] {
  const names = reader.list(() => reader.word("a column's name"));
  reader.end();
  return names;
}

/** Null for any other statement. */
export function dropView({ tokens }: StatementText): DropView | null {
  if (!isKeyword(tokens[0], 'drop') || !isKeyword(tokens[1], 'view')) return null;
  const first = isKeyword(tokens[2], 'if') ? 4 : 2;
  const chain = nameChain(tokens, first);
  return chain && { parts: chain.parts };
}

const CREATED: StatementOutcome = { kind: 'changed', rows: 0, snapshotId: null, scans: [] };

async function runCreate(view: CreateView, context: StatementContext): Promise<StatementOutcome | null> {
  const { views, resolver } = context;
  const name = view.parts.join('.');
  const known = view.parts.length === 1 && views.has(name);
  if (known && view.ifNotExists) return CREATED;
  if (known && !view.replaces) throw exists(`There is a view '${name}' already; CREATE OR REPLACE VIEW makes it anew.`);
  const isOurs = await readsCatalogs(view.query, context);
  if (!isOurs) {
    if (known) views.remove(name);
    return null;
  }
  if (view.parts.length > 1) {
    throw unsupported(
      `'${name}': catalogs have no views here. A view of the session is named without a namespace: CREATE VIEW ${view.parts.at(-1)!} AS ….`,
    );
  }
  if (resolver.registered.includes(name.toLowerCase()) || (await context.isLocal(view.parts))) {
    if (view.ifNotExists) return CREATED;
    throw exists(`There is a table or view of the session '${name}' already; give the view another name.`);
  }
  // What is wrong with it is told now.
  await (await context.run(`SELECT * FROM (\n${view.query}\n) LIMIT 0`)).rows();
  await views.put({ name, columns: view.columns, sql: await inFull(view.query, context) });
  return CREATED;
}

async function readsCatalogs(query: string, { views, resolver }: StatementContext): Promise<boolean> {
  for (const { parts } of await views.references(query)) {
    if (parts.length === 1 && views.has(parts[0]!)) return true;
    if (await resolveRead(resolver, parts)) return true;
  }
  return false;
}

/** The query with the whole names of its tables, if USE has chosen a namespace: it may choose another one later. */
async function inFull(query: string, { views, resolver }: StatementContext): Promise<string> {
  if (resolver.current === null) return query;
  const edits: Edit[] = [];
  for (const { parts, alias, start, end } of await views.references(query)) {
    if (parts.length === 1 && views.has(parts[0]!)) continue;
    // The last part may be that of a metadata table.
    const found = await resolver.locate(parts);
    const place = found ?? (parts.length > 1 ? await resolver.locate(parts.slice(0, -1)) : null);
    const catalog = [...resolver.catalogs].find(([, one]) => one === place?.catalog)?.[0];
    if (!place || catalog === undefined) continue;
    const full = [catalog, ...place.path, ...(found ? [] : parts.slice(-1))];
    const last = quoteName(full.at(-1)!);
    const text = `${quoteName(full.slice(0, -1).join(LEVEL_SEPARATOR))}.${last}`;
    edits.push({ start, end, text: alias === null ? `${text} AS ${last}` : text });
  }
  return applyEdits(query, edits).text;
}

function exists(message: string): LakehouseError {
  return new LakehouseError('ALREADY_EXISTS', message);
}

async function runDrop({ parts }: DropView, { views }: StatementContext): Promise<StatementOutcome | null> {
  return parts.length === 1 && views.remove(parts[0]!) ? CREATED : null;
}

/** `CREATE [OR REPLACE] TEMP TABLE name`: a table and a view can't have the same name. */
function temporaryTable({ tokens }: StatementText): { readonly name: string; readonly replaces: boolean } | null {
  if (!isKeyword(tokens[0], 'create')) return null;
  const replaces = isKeyword(tokens[1], 'or');
  let i = replaces ? 3 : 1;
  if (!isKeyword(tokens[i], 'temp', 'temporary') || !isKeyword(tokens[i + 1], 'table')) return null;
  i += isKeyword(tokens[i + 2], 'if') ? 5 : 2;
  const chain = nameChain(tokens, i);
  return chain?.parts.length === 1 ? { name: chain.parts[0]!, replaces } : null;
}

async function makeRoom(
  { name, replaces }: { readonly name: string; readonly replaces: boolean },
  { views }: StatementContext,
): Promise<null> {
  if (replaces) views.remove(name);
  else if (views.has(name)) throw exists(`There is a view '${name}' already; DROP VIEW ${name} removes it.`);
  return null;
}
