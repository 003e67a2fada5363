const ANY = 'random';

/**
 * The seed of what is random in a test: LH_SEED, a number or `random`, or `usual`. CI takes the usual ones, so that
 * nothing fails that would not have failed before.
 */
export function seed(usual: number): number {
  const given = process.env['LH_SEED'];
  if (given === undefined || given === '') return usual;
  if (given === ANY) return Math.floor(Math.random() * 2 ** 31);
  const wanted = Number(given);
  if (!Number.isSafeInteger(wanted)) throw new Error(`LH_SEED must be an integer or '${ANY}', not '${given}'.`);
  return wanted;
}
