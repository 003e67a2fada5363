import { unsupported } from '../../errors.ts';

/** How far the clocks of a zone are ahead of UTC, in seconds. Null for UTC itself. */
export interface ZoneOffset {
  /** At an instant, in seconds since 1970. */
  at(second: number): number;
  /** When its clocks show what those of UTC would at this second. */
  atWall(second: number): number;
}

const UTC: ReadonlySet<string> = new Set(['', 'UTC', 'GMT', 'Etc/UTC', 'Etc/GMT', 'Z']);

/** All zones change their clocks at full quarters of an hour. */
const STEP = 900;
/** Steps whose offsets are remembered: a few years of them. */
const MAX_KNOWN = 1 << 17;

/** UNSUPPORTED for zones that the platform doesn't know. */
export function zoneOffset(zone: string, location: string): ZoneOffset | null {
  if (UTC.has(zone)) return null;
  const format = formatOf(zone, location);
  const known = new Map<number, number>();
  const at = (second: number): number => {
    const step = Math.floor(second / STEP);
    let offset = known.get(step);
    if (offset === undefined) {
      offset = wallSecond(format, step * STEP) - step * STEP;
      if (known.size === MAX_KNOWN) known.clear();
      known.set(step, offset);
    }
    return offset;
  };
  return { at, atWall: (second) => at(second - at(second)) };
}

function formatOf(zone: string, location: string): Intl.DateTimeFormat {
  const fields = {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  } as const;
  try {
    return new Intl.DateTimeFormat('en-US', {
      ...fields,
      era: 'short',
      hourCycle: 'h23',
      calendar: 'gregory',
      timeZone: zone,
    });
  } catch {
    throw unsupported(`The data file ${location} was written in the time zone '${zone}', which is not known here.`, {
      path: location,
    });
  }
}

/** What the zone's clocks show, as if they were UTC's. */
function wallSecond(format: Intl.DateTimeFormat, second: number): number {
  const parts = new Map(format.formatToParts(second * 1000).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
  const year = parts.get('era') === 'BC' ? 1 - part('year') : part('year');
  // Years below 100 would be taken for ones of the 20th century.
  const wall = new Date(0).setUTCFullYear(year, part('month') - 1, part('day'));
  return wall / 1000 + part('hour') * 3600 + part('minute') * 60 + part('second');
}
