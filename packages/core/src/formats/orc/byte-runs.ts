import type { ByteInput } from './byte-input.ts';

/** Bytes with runs of equal ones (ORC specification: "Byte Run Length Encoding"). */
export class ByteRuns {
  readonly #input: ByteInput;
  #left = 0;
  #isRun = false;
  #value = 0;

  constructor(input: ByteInput) {
    this.#input = input;
  }

  next(): number {
    if (this.#left === 0) this.#begin();
    this.#left--;
    return this.#isRun ? this.#value : this.#input.byte();
  }

  #begin(): void {
    const control = this.#input.byte();
    this.#isRun = control < 0x80;
    this.#left = this.#isRun ? control + MIN_RUN : 0x100 - control;
    if (this.#isRun) this.#value = this.#input.byte();
  }
}

const MIN_RUN = 3;

/** Booleans: the bits of such bytes, the most significant first. */
export class BitRuns {
  readonly #bytes: ByteRuns;
  #byte = 0;
  #left = 0;

  constructor(input: ByteInput) {
    this.#bytes = new ByteRuns(input);
  }

  next(): boolean {
    if (this.#left === 0) {
      this.#byte = this.#bytes.next();
      this.#left = 8;
    }
    this.#left--;
    return (this.#byte & (1 << this.#left)) !== 0;
  }
}
