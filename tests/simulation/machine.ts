import { AsyncLocalStorage } from 'node:async_hooks';

import { SeededRuntime } from '@lh/core/testing';

/** What can go wrong in a simulation; how often each did is counted. */
export const HAZARDS = [
  'process killed',
  'power failure',
  'system call failed',
  'disk full',
  'outage',
  'request throttled',
  'answer lost',
  'request arrives late',
  'request arrives twice',
  'stalled for hours',
  'slow',
  'write aborted',
] as const;

export type Hazard = (typeof HAZARDS)[number];

/** Probabilities of what happens to one call of one process. */
export type Rates = Readonly<Partial<Record<Hazard, number>>>;

const HOUR_MS = 3_600_000;

/** A process: it ends when it is done or killed. Whatever a killed one still waits for never comes. */
export class Process {
  readonly rates: Rates;
  /** Until when nothing that it asks for works, but for deletes perhaps: stores have quotas of their own for those. */
  outUntil = 0;
  outSparesDeletes = false;
  readonly death: Promise<'killed'>;
  #isDead = false;
  #die!: () => void;

  constructor(rates: Rates) {
    this.rates = rates;
    this.death = new Promise((resolve) => {
      this.#die = () => resolve('killed');
    });
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  kill(): void {
    this.#isDead = true;
    this.#die();
  }
}

const current = new AsyncLocalStorage<Process>();

/** What all processes of a simulation share: a clock, a source of chance, and a count of what went wrong. */
export class Machine {
  readonly runtime: SeededRuntime;
  readonly counts = new Map<Hazard, number>();
  readonly #processes = new Set<Process>();

  constructor(seed: number) {
    this.runtime = new SeededRuntime(seed);
  }

  readonly randomInteger = (bound: number): number => this.runtime.randomInteger(bound);

  chance(probability: number | undefined): boolean {
    return probability !== undefined && probability > 0 && this.runtime.random() < probability;
  }

  count(hazard: Hazard): void {
    this.counts.set(hazard, (this.counts.get(hazard) ?? 0) + 1);
  }

  /** Whether a hazard strikes the running process now. Code outside of processes is never struck. */
  strikes(hazard: Hazard): boolean {
    if (!this.chance(current.getStore()?.rates[hazard])) return false;
    this.count(hazard);
    return true;
  }

  /** Whether a call of the running process can't work at the moment. */
  isOut(isDelete: boolean): boolean {
    const process = current.getStore();
    if (!process || this.runtime.now() >= process.outUntil) return false;
    return !(isDelete && process.outSparesDeletes);
  }

  /** Whether an outage begins now, often longer than anyone's patience: what is being asked for is the last thing that is done. */
  outageBegins(): boolean {
    const process = current.getStore();
    if (!process || !this.strikes('outage')) return false;
    process.outSparesDeletes = this.chance(0.5);
    process.outUntil = this.runtime.now() + 100 * 2 ** (this.runtime.random() * 8);
    return true;
  }

  /** Runs a process to its end. */
  async run(process: Process, life: () => Promise<void>): Promise<'done' | 'killed'> {
    this.#processes.add(process);
    const done = current.run(process, life).then(() => 'done' as const);
    try {
      return await Promise.race([done, process.death]);
    } finally {
      this.#processes.delete(process);
    }
  }

  killAll(): void {
    for (const process of this.#processes) process.kill();
  }

  /** A call of the running process to the world outside: it takes time, and the process may not live to see its end. */
  async call<T>(run: () => T | Promise<T>): Promise<T> {
    const process = current.getStore();
    if (!process) return run();
    await this.#passes(process);
    const result = await run();
    await this.#passes(process);
    return result;
  }

  /** Sleep of the running process, from which it may not wake up. */
  async pause(milliseconds: number): Promise<void> {
    await this.runtime.sleep(milliseconds);
    if (current.getStore()?.isDead) await never();
  }

  async #passes(process: Process): Promise<void> {
    if (!process.isDead && this.strikes('process killed')) process.kill();
    if (!process.isDead) {
      if (this.strikes('stalled for hours')) await this.runtime.sleep(this.runtime.random() * 10 * HOUR_MS);
      else if (this.strikes('slow')) await this.runtime.sleep(this.runtime.random() * 3000);
      else if (this.randomInteger(4) === 0) await this.runtime.sleep(this.runtime.random() * 20);
    }
    if (process.isDead) await never();
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** Rates that make some processes suffer with every call, and others hardly ever. */
export function drawRates({ runtime }: Machine): Rates {
  const rate = (most: number): number => (runtime.random() < 0.5 ? 0 : runtime.random() ** 3 * most);
  return {
    'process killed': rate(0.05),
    'system call failed': rate(0.05),
    'disk full': rate(0.05),
    outage: rate(0.03),
    'request throttled': rate(0.2),
    'answer lost': rate(0.2),
    'request arrives late': rate(0.2),
    'request arrives twice': rate(0.2),
    'stalled for hours': rate(0.01),
    slow: rate(0.1),
    'write aborted': rate(0.5),
  };
}

export function drawnFrom<T>({ runtime }: Machine, values: readonly T[]): T {
  return values[runtime.randomInteger(values.length)]!;
}
