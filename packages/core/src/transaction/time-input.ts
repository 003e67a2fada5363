import { invalidArgument } from '../errors.ts';
import { parseTimestamp } from '../spec/datetime-text.ts';

/** A point in time: a Date, milliseconds since the epoch, or ISO 8601 text, which is UTC unless it has a zone. */
export type TimeInput = Date | number | string;

/** Milliseconds since the epoch. Digits below are cut off, as the log of snapshots has none. */
export function toEpochMs(input: TimeInput, what: string): number {
  const milliseconds = epochMs(input);
  // Dates reach 8.64e15 milliseconds to both sides.
  if (Number.isFinite(milliseconds) && Math.abs(milliseconds) <= 8.64e15) return Math.floor(milliseconds);
  throw invalidArgument(
    `${what} must be a Date, milliseconds since the epoch or an ISO 8601 text, not ${String(input)}.`,
  );
}

function epochMs(input: TimeInput): number {
  if (typeof input === 'number') return input;
  if (typeof input === 'string') {
    const parsed = parseTimestamp(input.trim(), 9);
    return parsed === undefined ? Number.NaN : Math.floor(Number(parsed.value / 1000n) / 1000);
  }
  return input instanceof Date ? input.getTime() : Number.NaN;
}
