import type { LakehouseError } from '@lh/core';
import { invalidArgument } from '@lh/core/engine';
import { LEVEL_SEPARATOR } from '../text/level-separator.ts';
import { stringValue } from '../text/string-value.ts';
import { afterBracket, isKeyword, isName, isSymbol, nameChain, pointAt, tokenize } from '../text/tokens.ts';
import type { Token } from '../text/tokens.ts';
import type { StatementText } from './statement-text.ts';

/** Reads a statement word by word. What isn't there as it should be is INVALID_ARGUMENT, with the place in the user's text. */
export class TokenReader {
  readonly #text: StatementText;
  readonly #end: number;
  #at: number;

  /** Of the tokens from `first` up to `end`. */
  constructor(text: StatementText, first: number = 0, end: number = text.tokens.length) {
    this.#text = text;
    this.#at = first;
    this.#end = end;
  }

  get isDone(): boolean {
    return this.#at >= this.#end;
  }

  /** Index of the next token in the statement. */
  get index(): number {
    return this.#at;
  }

  /** The token that comes next, or one behind it. */
  peek(offset: number = 0): Token | undefined {
    return this.#at + offset < this.#end ? this.#text.tokens[this.#at + offset] : undefined;
  }

  /** Whether these words, in lower case, come next. */
  isAt(...words: readonly string[]): boolean {
    return words.every((word, i) => isKeyword(this.peek(i), word));
  }

  isAtSymbol(symbol: string): boolean {
    return isSymbol(this.peek(), symbol);
  }

  /** Reads these words if they come next. */
  take(...words: readonly string[]): boolean {
    if (!this.isAt(...words)) return false;
    this.#at += words.length;
    return true;
  }

  /** Reads the one of these words that comes next, and gives it in lower case; null if none does. */
  takeOneOf(...words: readonly string[]): string | null {
    const word = words.find((one) => this.isAt(one));
    if (word !== undefined) this.#at++;
    return word ?? null;
  }

  takeSymbol(symbol: string): boolean {
    if (!this.isAtSymbol(symbol)) return false;
    this.#at++;
    return true;
  }

  expect(...words: readonly string[]): void {
    if (!this.take(...words)) throw this.unexpected(words.join(' ').toUpperCase());
  }

  expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) throw this.unexpected(`'${symbol}'`);
  }

  /** One part of a name, without its quotes. */
  word(what: string): string {
    const token = this.peek();
    if (!isName(token)) throw this.unexpected(what);
    this.#at++;
    return token.value;
  }

  /** A name with all its parts: `web.events`, `"a b".c`. */
  name(what: string): readonly string[] {
    const chain = nameChain(this.#text.tokens, this.#at);
    if (!chain || chain.next > this.#end) throw this.unexpected(what);
    this.#at = chain.next;
    return chain.parts.flatMap((part) => part.split(LEVEL_SEPARATOR));
  }

  /** The value of a string constant. */
  string(what: string): string {
    const token = this.peek();
    const value = token?.kind === 'string' ? stringValue(token.value) : null;
    if (value === null) throw this.unexpected(`${what} in quotes`);
    this.#at++;
    return value;
  }

  /** The text in a string constant as a reader of its own; its errors point at the constant. */
  quotedText(what: string): TokenReader {
    const start = this.peek()?.start ?? 0;
    const sql = this.string(what);
    const { source } = this.#text;
    const toSource = (offset: number): number => this.#text.toSource(start + 1 + offset);
    return new TokenReader({ sql, tokens: tokenize(sql), source, toSource });
  }

  /** A whole number, exactly. */
  integer(what: string): bigint {
    const token = this.peek();
    if (token?.kind !== 'number' || !/^\d{1,19}$/.test(token.value)) throw this.unexpected(what);
    this.#at++;
    return BigInt(token.value);
  }

  /** One or more things with commas between them. */
  list<T>(item: () => T): readonly T[] {
    const items = [item()];
    while (this.takeSymbol(',')) items.push(item());
    return items;
  }

  /** The tokens inside the brackets that come next, as a reader of their own. */
  brackets(what: string): TokenReader {
    if (!this.isAtSymbol('(')) throw this.unexpected(what);
    const next = afterBracket(this.#text.tokens, this.#at);
    if (next > this.#end || !isSymbol(this.#text.tokens[next - 1], ')')) throw this.unexpected(`the end of ${what}`);
    const inner = new TokenReader(this.#text, this.#at + 1, next - 1);
    this.#at = next;
    return inner;
  }

  /** Moves over one token, or over all that is in brackets. */
  skip(): void {
    const isOpen = this.isAtSymbol('(') || this.isAtSymbol('[') || this.isAtSymbol('{');
    this.#at = Math.min(this.#end, isOpen ? afterBracket(this.#text.tokens, this.#at) : this.#at + 1);
  }

  /** The text from a token up to the next one to be read. */
  textFrom(first: number): string {
    const [start, end] = [this.#text.tokens[first], this.#text.tokens[this.#at - 1]];
    return start && end && first < this.#at ? this.#text.sql.slice(start.start, end.end) : '';
  }

  /** All that is left. */
  rest(): string {
    const first = this.#at;
    this.#at = this.#end;
    return this.textFrom(first);
  }

  /** INVALID_ARGUMENT if anything is left. */
  end(): void {
    if (!this.isDone) throw this.unexpected('the end of the statement');
  }

  unexpected(wanted: string): LakehouseError {
    const found = this.peek();
    return this.error(`Expected ${wanted}, and found ${found ? `'${this.#textOf(found)}'` : 'the end'}.`);
  }

  /** INVALID_ARGUMENT at the next token, or at another one of the statement. */
  error(message: string, at: number = this.#at): LakehouseError {
    const token = this.#text.tokens[at];
    const offset = this.#text.toSource(token?.start ?? this.#text.sql.length);
    return invalidArgument(`${message}\n${pointAt(this.#text.source, offset)}`, { position: offset });
  }

  #textOf({ start, end }: Token): string {
    return this.#text.sql.slice(start, end);
  }
}
