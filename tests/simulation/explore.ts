import { expect } from 'vitest';

import { seed } from '../support/seed.ts';
import { HAZARDS } from './machine.ts';
import type { Hazard } from './machine.ts';
import { OPERATION_KINDS } from './operations.ts';
import { simulate } from './simulate.ts';
import { UPKEEP_KINDS } from './upkeep.ts';
import type { Outcome } from './writer.ts';

/** How often something happened, and in how many simulations. */
interface Coverage {
  readonly hazards: ReadonlyMap<Hazard, { readonly times: number; readonly simulations: number }>;
  /** Of each kind of operation, how it ended how often. */
  readonly outcomes: Readonly<Record<string, Readonly<Partial<Record<Outcome, number>>>>>;
}

/** How many simulations each of the two test files runs. */
const SIMULATIONS = Math.ceil(Number(process.env['LH_SCHEDULES'] ?? 300) / 2);
const FIRST_SEED = seed(0);
const MOST_FAILURES = 20;

/**
 * Runs the simulations of every second seed, and prints what went wrong in them and how it ended. They are worth something
 * only if all of it happens.
 */
export async function explore(offset: 0 | 1): Promise<void> {
  const { hazards, outcomes } = await simulateAll(offset);
  console.info(`${SIMULATIONS} simulations, every second seed from ${FIRST_SEED + offset} on`);
  console.table(Object.fromEntries(hazards));
  console.table(outcomes);
  if (SIMULATIONS < 100) return;
  for (const [hazard, { simulations }] of hazards) expect(simulations, hazard).toBeGreaterThan(SIMULATIONS / 50);
  const acknowledged = (kind: string): number => outcomes[kind]?.acknowledged ?? 0;
  for (const kind of OPERATION_KINDS) expect(acknowledged(kind), kind).toBeGreaterThan(SIMULATIONS / 100);
  // Tables that have what it is about are few.
  if (SIMULATIONS < 500) return;
  for (const kind of UPKEEP_KINDS) expect(acknowledged(kind), kind).toBeGreaterThan(SIMULATIONS / 250);
}

async function simulateAll(offset: 0 | 1): Promise<Coverage> {
  const hazards = new Map(HAZARDS.map((hazard) => [hazard, { times: 0, simulations: 0 }]));
  const failures: Error[] = [];
  const outcomes: Record<string, Partial<Record<Outcome, number>>> = {};
  for (let number = 0; number < SIMULATIONS; number++) {
    const one = FIRST_SEED + 2 * number + offset;
    const simulated = await simulate(one).catch((error: unknown) => {
      failures.push(new Error(`The simulation with LH_SEED=${one} went wrong: ${String(error)}`, { cause: error }));
      return null;
    });
    if (failures.length === MOST_FAILURES) break;
    if (simulated === null) continue;
    const { counts } = simulated;
    for (const [hazard, times] of counts) {
      const sum = hazards.get(hazard)!;
      sum.times += times;
      sum.simulations++;
    }
    for (const { kind, outcome } of simulated.outcomes) {
      const ofKind = (outcomes[kind] ??= {});
      ofKind[outcome] = (ofKind[outcome] ?? 0) + 1;
    }
  }
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, failures.map(({ message }) => message).join('\n'));
  return { hazards, outcomes };
}
