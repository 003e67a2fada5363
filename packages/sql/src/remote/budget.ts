interface Waiting {
  readonly amount: number;
  readonly start: () => void;
}

/** So much of something may be in use at a time. Who asks for more waits, first come first served. */
export class Budget {
  readonly #total: number;
  #free: number;
  readonly #waiting: Waiting[] = [];

  constructor(total: number) {
    this.#total = total;
    this.#free = total;
  }

  /** What is more than all there is counts as all there is. The returned function gives it back. */
  async take(amount: number): Promise<() => void> {
    const taken = Math.min(amount, this.#total);
    if (this.#waiting.length > 0 || taken > this.#free) {
      await new Promise<void>((start) => this.#waiting.push({ amount: taken, start }));
    } else {
      this.#free -= taken;
    }
    let isTaken = true;
    return () => {
      if (isTaken) this.#giveBack(taken);
      isTaken = false;
    };
  }

  #giveBack(amount: number): void {
    this.#free += amount;
    while (this.#waiting.length > 0 && this.#waiting[0]!.amount <= this.#free) {
      const { amount: next, start } = this.#waiting.shift()!;
      this.#free -= next;
      start();
    }
  }
}
