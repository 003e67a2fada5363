const tty = process.stdout.isTTY;
const colour = process.env['FORCE_COLOR'] ? true : tty && !process.env['NO_COLOR'];

const paint =
  (sequence: string) =>
  (text: string): string =>
    colour ? text.replaceAll(/[^\n]+/g, `\u001b[${sequence}m$&\u001b[0m`) : text;

export const bold: (text: string) => string = paint('1');
export const dim: (text: string) => string = paint('2');
export const green: (text: string) => string = paint('32');
export const cyan: (text: string) => string = paint('36');

let steps = 0;

/** A numbered heading. */
export function step(title: string): void {
  steps++;
  console.log(`\n${bold(cyan(`${steps}. ${title}`))}\n`);
}

/** Text of a step; `lines` may hold colours. */
export function say(...lines: readonly string[]): void {
  for (const line of lines.flatMap((text) => text.split('\n'))) console.log(line === '' ? '' : `   ${line}`);
}

/** The code that a reader would write for what comes next. */
export function code(text: string): void {
  say(dim(text), '');
}

export function count(value: number | bigint): string {
  return value.toLocaleString('en-US');
}

/** How long it is since then: '8 ms', '1.2 s'. */
export function seconds(since: number): string {
  const ms = performance.now() - since;
  return ms < 100 ? `${Math.ceil(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** One line that is redrawn while a long step goes on; without a terminal only its final text is printed. */
export class Progress {
  readonly #label: string;
  #drawnAt = 0;

  constructor(label: string) {
    this.#label = label;
  }

  update(text: string): void {
    if (!tty || performance.now() - this.#drawnAt < 80) return;
    this.#drawnAt = performance.now();
    process.stdout.write(`\r\u001b[2K   ${this.#label}  ${dim(text)}`);
  }

  done(text: string): void {
    if (tty) process.stdout.write('\r\u001b[2K');
    say(`${green('✓')} ${this.#label}  ${text}`);
  }
}
