import type { SortFieldInput } from '@lh/core';
import { invalidArgument } from '@lh/core/engine';
import { isKeyword, isSymbol, nameChain, tokenize } from '../text/tokens.ts';
import type { Token } from '../text/tokens.ts';

export type SortOrderText = { readonly sortBy: readonly SortFieldInput[] } | { readonly zOrderBy: readonly string[] };

/** `id DESC NULLS LAST, city`, or `zorder(id, city)`. INVALID_ARGUMENT for anything else. */
export function sortOrderText(text: string): SortOrderText {
  const tokens = tokenize(text.replaceAll('`', '"'));
  const reader = new Reader(tokens, text);
  if (isKeyword(tokens[0], 'zorder') && isSymbol(tokens[1], '(')) {
    reader.at = 2;
    const zOrderBy = reader.list(() => reader.column());
    reader.symbol(')');
    reader.end();
    return { zOrderBy };
  }
  const sortBy = reader.list(() => reader.sortField());
  reader.end();
  return { sortBy };
}

class Reader {
  at = 0;
  readonly #tokens: readonly Token[];
  readonly #text: string;

  constructor(tokens: readonly Token[], text: string) {
    this.#tokens = tokens;
    this.#text = text;
  }

  list<T>(item: () => T): readonly T[] {
    const items = [item()];
    while (isSymbol(this.#tokens[this.at], ',')) {
      this.at++;
      items.push(item());
    }
    return items;
  }

  column(): string {
    const chain = nameChain(this.#tokens, this.at);
    if (!chain) throw this.#wrong();
    this.at = chain.next;
    return chain.parts.join('.');
  }

  /** Without words for it nulls go where Spark has them: first if ascending, last if descending. */
  sortField(): SortFieldInput {
    const field = this.column();
    const isDescending = this.#takes('desc');
    if (!isDescending) this.#takes('asc');
    const direction = isDescending ? 'desc' : 'asc';
    if (!this.#takes('nulls')) return { field, direction };
    if (this.#takes('first')) return { field, direction, nulls: 'first' };
    if (this.#takes('last')) return { field, direction, nulls: 'last' };
    throw this.#wrong();
  }

  symbol(symbol: string): void {
    if (!isSymbol(this.#tokens[this.at], symbol)) throw this.#wrong();
    this.at++;
  }

  end(): void {
    if (this.at < this.#tokens.length) throw this.#wrong();
  }

  #takes(keyword: string): boolean {
    if (!isKeyword(this.#tokens[this.at], keyword)) return false;
    this.at++;
    return true;
  }

  #wrong(): Error {
    return invalidArgument(
      `'${this.#text}' is no sort order: write 'id DESC NULLS LAST, city' or 'zorder(id, city)', with names of columns.`,
    );
  }
}
