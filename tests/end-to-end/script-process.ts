import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 2;

/** A script in a Node process of its own, which tells by lines on stdout how far it is. */
export class ScriptProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #closed: Promise<unknown>;
  #hasEnded = false;
  #lines = 0;
  #errors = '';

  constructor(script: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [script, ...args], { env: { ...process.env, ...environment } });
    this.#closed = once(this.#child, 'close').then(() => (this.#hasEnded = true));
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#lines += text.split('\n').length - 1));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    // Writing to a process that was killed fails.
    this.#child.stdin.on('error', () => undefined);
  }

  /** How many lines it has printed. */
  get lines(): number {
    return this.#lines;
  }

  write(text: string): void {
    this.#child.stdin.write(text);
  }

  /** Until it has printed so many lines, or the time is up. Fails if it ends before. */
  async printed(lines: number, patienceMs: number = Infinity): Promise<void> {
    const deadline = performance.now() + patienceMs;
    while (this.#lines < lines && performance.now() < deadline) {
      if (this.#hasEnded) throw this.#failure();
      await sleep(POLL_MS);
    }
  }

  /** kill -9; what it has printed is known for good then. Fails if it had ended by itself. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
    if (this.#child.signalCode !== 'SIGKILL') throw this.#failure();
  }

  /** Ctrl-C. */
  interrupt(): void {
    this.#child.kill('SIGINT');
  }

  /** Until it ends by itself, all being well. */
  async finished(): Promise<void> {
    this.#child.stdin.end();
    await this.#closed;
    if (this.#child.exitCode !== 0) throw this.#failure();
  }

  #failure(): Error {
    const how = this.#child.signalCode ?? `code ${this.#child.exitCode}`;
    return new Error(`The process ended with ${how} after ${this.#lines} lines.\n${this.#errors}`);
  }
}
