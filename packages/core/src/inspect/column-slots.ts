/** Ids up to this have their places in an array. */
const MOST_IDS = 1 << 16;

/**
 * Where each of some column ids is in their list; -1 for all other ids. For loops over the keys of statistics: ids are
 * mostly small, so that it takes an array.
 */
export function columnSlots(ids: readonly number[]): (id: number) => number {
  const highest = ids.reduce((most, id) => (id < MOST_IDS ? Math.max(most, id) : most), -1);
  const direct = new Int32Array(highest + 1).fill(-1);
  const others = new Map<number, number>();
  for (const [slot, id] of ids.entries()) {
    if (id >= 0 && id <= highest) direct[id] = slot;
    else others.set(id, slot);
  }
  return (id) => direct[id] ?? others.get(id) ?? -1;
}
