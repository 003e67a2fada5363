/** Shorter texts are no secrets, and would make messages unreadable. */
const MIN_LENGTH = 4;

/** What must never be seen in an error: servers like to repeat what they were sent. */
export class Secrets {
  readonly #texts = new Set<string>();

  /** Remembers texts that are secret; a text of the form `id:secret` for its second half, too. */
  add(...texts: readonly (string | undefined)[]): void {
    for (const text of texts) {
      if (text === undefined) continue;
      for (const part of [text, text.slice(text.indexOf(':') + 1)]) {
        if (part.length >= MIN_LENGTH) this.#texts.add(part).add(encodeURIComponent(part));
      }
    }
  }

  redact(text: string): string {
    const longestFirst = [...this.#texts].toSorted((a, b) => b.length - a.length);
    return longestFirst.reduce((result, secret) => result.replaceAll(secret, '***'), text);
  }
}
