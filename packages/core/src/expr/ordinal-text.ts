import { invalidArgument } from '../errors.ts';
import { daysFromCivil, parseDate } from '../spec/datetime-text.ts';
import type { TransformKind } from '../spec/transform.ts';
import type { Literal } from './expression.ts';
import type { LiteralPosition } from './literal-position.ts';

/** Years, months and hours since 1970 as people write them; the same forms as in partition directories. */
const ORDINALS: {
  readonly [K in TransformKind]?: { readonly parse: (text: string) => number | undefined; readonly example: string };
} = {
  year: { parse: (text) => (/^-?\d{4,6}$/.test(text) ? Number(text) - 1970 : undefined), example: '2024' },
  month: { parse: monthOrdinal, example: '2024-03' },
  hour: { parse: hourOrdinal, example: '2024-03-01-17' },
};

/** Undefined if literals of the transform need no special reading. INVALID_ARGUMENT for text of a wrong form. */
export function ordinalPosition(transform: TransformKind, literal: Literal, what: string): LiteralPosition | undefined {
  const ordinals = ORDINALS[transform];
  if (!ordinals || typeof literal !== 'string') return undefined;
  const value = ordinals.parse(literal.trim());
  if (value === undefined) {
    throw invalidArgument(`${what} can't be compared with '${literal}'; write it like '${ordinals.example}'.`);
  }
  return { at: 'value', value };
}

/** How the text form of filters has to spell a literal of the transform, if not as its result type's values. */
export function ordinalExample(transform: TransformKind): string | undefined {
  return ORDINALS[transform]?.example;
}

function monthOrdinal(text: string): number | undefined {
  const match = /^(-?\d{4,6})-(\d\d)$/.exec(text);
  const month = Number(match?.[2]);
  return match && month >= 1 && month <= 12 ? (Number(match[1]) - 1970) * 12 + month - 1 : undefined;
}

function hourOrdinal(text: string): number | undefined {
  const match = /^(-?\d{4,6})-(\d\d)-(\d\d)-(\d\d)$/.exec(text);
  if (!match || parseDate(text.slice(0, -3)) === undefined || Number(match[4]) > 23) return undefined;
  return (
    daysFromCivil({ year: Number(match[1]), month: Number(match[2]), day: Number(match[3]) }) * 24 + Number(match[4])
  );
}
