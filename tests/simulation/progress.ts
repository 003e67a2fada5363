/** Counts what was begun, for those who wait for it. */
export class Progress {
  #begun = 0;
  readonly #waiting: { readonly count: number; readonly go: () => void }[] = [];

  begin(): void {
    this.#begun++;
    for (const { count, go } of this.#waiting) if (count === this.#begun) go();
  }

  /** Resolves when so many have begun. */
  async reaches(count: number): Promise<void> {
    if (this.#begun >= count) return;
    await new Promise<void>((go) => this.#waiting.push({ count, go }));
  }
}
