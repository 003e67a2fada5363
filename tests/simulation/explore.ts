import { seed } from '../support/seed.ts';
import { HAZARDS } from './machine.ts';
import type { Hazard } from './machine.ts';
import { simulate } from './simulate.ts';

/** How often something happened, and in how many simulations. */
export interface Coverage {
  readonly hazards: ReadonlyMap<Hazard, { readonly times: number; readonly simulations: number }>;
  readonly outcomes: ReadonlyMap<string, number>;
}

/** How many simulations each of the two test files runs. */
export const SIMULATIONS = Math.ceil(Number(process.env['LH_SCHEDULES'] ?? 300) / 2);
const FIRST_SEED = seed(0);

/** Runs the simulations of every second seed, and prints what went wrong in them and how it ended. */
export async function explore(offset: 0 | 1): Promise<Coverage> {
  const hazards = new Map(HAZARDS.map((hazard) => [hazard, { times: 0, simulations: 0 }]));
  const outcomes = new Map<string, number>();
  for (let number = 0; number < SIMULATIONS; number++) {
    const one = FIRST_SEED + 2 * number + offset;
    const { counts, jobs } = await simulate(one).catch((error: unknown) => {
      throw new Error(`The simulation with LH_SEED=${one} went wrong: ${String(error)}`, { cause: error });
    });
    for (const [hazard, times] of counts) {
      const sum = hazards.get(hazard)!;
      sum.times += times;
      sum.simulations++;
    }
    for (const { outcome } of jobs) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  console.info(`${SIMULATIONS} simulations, every second seed from ${FIRST_SEED + offset} on`);
  console.table(Object.fromEntries(hazards));
  console.table(Object.fromEntries(outcomes));
  return { hazards, outcomes };
}
