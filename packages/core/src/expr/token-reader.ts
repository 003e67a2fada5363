import type { LakehouseError } from '../errors.ts';
import { syntaxError } from './syntax-error.ts';
import { tokenize, type Token } from './tokens.ts';

/** Walks over the tokens of a filter. */
export class TokenReader {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  peek(ahead: number = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!;
  }

  next(): Token {
    const token = this.peek();
    this.#at++;
    return token;
  }

  /** Takes the next token if it is this unquoted word, in either case. */
  takeWord(word: string): boolean {
    const token = this.peek();
    const taken = token.kind === 'word' && token.text.toUpperCase() === word;
    if (taken) this.#at++;
    return taken;
  }

  takeSymbol(symbol: string): boolean {
    const token = this.peek();
    const taken = token.kind === 'symbol' && token.text === symbol;
    if (taken) this.#at++;
    return taken;
  }

  expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) throw this.unexpected(`'${symbol}'`);
  }

  /** An error at the next token. */
  error(message: string): LakehouseError {
    return this.errorAt(this.peek().start, message);
  }

  errorAt(offset: number, message: string): LakehouseError {
    return syntaxError(this.#text, offset, message);
  }

  unexpected(expected: string): LakehouseError {
    const { kind, start, end } = this.peek();
    const found = kind === 'end' ? 'the filter ends' : `found ${this.#text.slice(start, Math.min(end, start + 40))}`;
    return this.error(`Expected ${expected}, but ${found}`);
  }
}
