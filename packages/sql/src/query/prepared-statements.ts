import { LakehouseError } from '@lh/core';
import { invalidArgument } from '@lh/core/engine';
import { SqlText } from '../text/parameters.ts';
import type { SqlParameters } from '../text/parameters.ts';
import type { StatementRequest } from '../statements/statement-text.ts';
import { afterBracket, isKeyword, isName, isSymbol } from '../text/tokens.ts';
import type { Token } from '../text/tokens.ts';

interface Prepared {
  readonly source: string;
  readonly statement: StatementRequest['statement'];
}

/**
 * PREPARE, EXECUTE and DEALLOCATE of the session. DuckDB could not prepare statements about tables of catalogs, so that
 * texts are kept, and run with the arguments in place of the parameters.
 */
export class PreparedStatements {
  readonly #known = new Map<string, Prepared>();

  /**
   * What is to be run for a request: another one for EXECUTE, none for PREPARE and DEALLOCATE, itself for all others.
   * NOT_FOUND for an unknown name.
   */
  resolve(request: StatementRequest): StatementRequest | null {
    const { tokens } = request.statement;
    if (isKeyword(tokens[0], 'prepare')) return this.#prepare(request);
    if (isKeyword(tokens[0], 'execute')) return this.#execute(request);
    if (!isKeyword(tokens[0], 'deallocate')) return request;
    const name = tokens[isKeyword(tokens[1], 'prepare') ? 2 : 1];
    if (!isName(name)) throw invalidArgument('DEALLOCATE needs the name of a prepared statement.');
    this.#find(name);
    this.#known.delete(name.value.toLowerCase());
    return null;
  }

  #prepare({ source, statement }: StatementRequest): null {
    const { tokens } = statement;
    const [, name] = tokens;
    // Types of parameters may follow the name; values bring their own.
    const as = isSymbol(tokens[2], '(') ? afterBracket(tokens, 2) : 2;
    const inner = tokens.slice(as + 1);
    if (!isName(name) || !isKeyword(tokens[as], 'as') || inner.length === 0) {
      throw invalidArgument('PREPARE takes a name and a statement: PREPARE find AS SELECT … WHERE id = $1.');
    }
    const own = { tokens: inner, start: inner[0]!.start, end: inner.at(-1)!.end };
    this.#known.set(name.value.toLowerCase(), { source, statement: own });
    return null;
  }

  #execute(request: StatementRequest): StatementRequest {
    const { source, statement } = request;
    const [, name, ...rest] = statement.tokens;
    if (!isName(name)) throw invalidArgument('EXECUTE needs the name of a prepared statement.');
    const known = this.#find(name);
    if (rest.length > 0 && (!isSymbol(rest[0], '(') || afterBracket(rest, 0) !== rest.length)) {
      throw invalidArgument(`EXECUTE ${name.value} takes its arguments in brackets.`);
    }
    return {
      ...request,
      ...known,
      parameters: argumentsOf(source, rest.slice(1, -1), request.parameters),
      isOnly: true,
    };
  }

  #find(name: Token): Prepared {
    const known = this.#known.get(name.value.toLowerCase());
    if (known) return known;
    throw new LakehouseError('NOT_FOUND', `There is no prepared statement '${name.value}': PREPARE makes one.`);
  }
}

/** `(1, 'x')`, or by name: `(id := 1)`. Arguments that are parameters themselves take their values along. */
function argumentsOf(source: string, tokens: readonly Token[], values: SqlParameters | undefined): SqlParameters {
  const list: unknown[] = [];
  const named: Record<string, unknown> = {};
  for (let i = 0; i < tokens.length;) {
    let end = i;
    while (end < tokens.length && !isSymbol(tokens[end], ',')) {
      const isOpen = isSymbol(tokens[end], '(') || isSymbol(tokens[end], '[') || isSymbol(tokens[end], '{');
      end = isOpen ? afterBracket(tokens, end) : end + 1;
    }
    const isNamed = isSymbol(tokens[i + 1], ':') && isSymbol(tokens[i + 2], '=');
    const value = argument(source, tokens.slice(isNamed ? i + 3 : i, end), values);
    if (isNamed) named[tokens[i]!.value] = value;
    else list.push(value);
    i = end + 1;
  }
  return list.length > 0 || Object.keys(named).length === 0 ? list : named;
}

function argument(source: string, tokens: readonly Token[], values: SqlParameters | undefined): unknown {
  const [only, more] = tokens;
  if (!only) throw invalidArgument('EXECUTE has an argument that is empty.');
  if (only.kind === 'parameter' && more === undefined) {
    return (values as Record<string, unknown> | undefined)?.[
      Array.isArray(values) ? Number(only.value || 1) - 1 : only.value
    ];
  }
  return new SqlText(source.slice(only.start, tokens.at(-1)!.end));
}
