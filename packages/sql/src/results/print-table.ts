import { Variant } from '@lh/core';

export interface PrintOptions {
  /** Rows shown; the rest is counted. 40 if left out. */
  readonly maxRows?: number;
  /** Columns of text that a value may take. 60 if left out. */
  readonly maxWidth?: number;
  /** Columns of text that the whole table may take; the terminal's if left out, and any number where there is none. */
  readonly width?: number;
}

export interface PrintableColumn {
  readonly name: string;
  readonly isNumeric: boolean;
}

/** A table of text: numbers to the right, the rest to the left, long values cut. */
export function printTable(
  columns: readonly PrintableColumn[],
  rows: readonly (readonly unknown[])[],
  footer: string,
  options: PrintOptions = {},
): string {
  const { maxWidth = 60, width = terminalWidth() } = options;
  const cells = rows.map((row) => row.map((value) => cut(cellText(value), maxWidth)));
  const titles = columns.map(({ name }) => cut(oneLine(name), maxWidth));
  const widths = titles.map((title, i) =>
    Math.max(1, displayWidth(title), ...cells.map((row) => displayWidth(row[i]!))),
  );
  const shown = columnsThatFit(widths, width);
  const widthOf = (i: number): number => (i === GAP ? 1 : widths[i]!);
  const line = (left: string, middle: string, right: string): string =>
    left + shown.map((i) => '─'.repeat(widthOf(i) + 2)).join(middle) + right;
  const row = (texts: readonly string[], toRight: (i: number) => boolean): string =>
    `│${shown.map((i) => ` ${pad(i === GAP ? '…' : texts[i]!, widthOf(i), i !== GAP && toRight(i))} `).join('│')}│`;
  const body = cells.map((texts) => row(texts, (i) => columns[i]!.isNumeric));
  return [
    line('┌', '┬', '┐'),
    row(titles, () => false),
    line('├', '┼', '┤'),
    ...body,
    line('└', '┴', '┘'),
    shown.includes(GAP) ? `${footer}, ${shown.length - 1} of ${columns.length} columns shown` : footer,
  ].join('\n');
}

/** Stands for the columns that are left out. */
const GAP = -1;

/** Columns from both ends, as many as there is room for, at least one; the gap is between them. */
function columnsThatFit(widths: readonly number[], width: number): readonly number[] {
  const taken = (i: number): number => widths[i]! + 3;
  const total = widths.reduce((sum, _, i) => sum + taken(i), 1);
  if (total <= width) return widths.map((_, i) => i);
  // The gap takes four columns of text, and the frame one.
  let room = width - 5 - taken(0);
  const [left, right] = [[0], [] as number[]];
  for (let [next, last] = [1, widths.length - 1]; next <= last;) {
    const fromRight = right.length < left.length;
    const i = fromRight ? last-- : next++;
    room -= taken(i);
    if (room < 0) break;
    if (fromRight) right.unshift(i);
    else left.push(i);
  }
  return widths.length === 1 ? left : [...left, GAP, ...right];
}

function terminalWidth(): number {
  return process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
}

/** A value as one line of text. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'string') return oneLine(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`;
  if (value instanceof Variant) return cellText(value.toJSON());
  if (value instanceof Map) return `{${[...value].map(([key, item]) => `${nested(key)}=${nested(item)}`).join(', ')}}`;
  if (Array.isArray(value)) return `[${value.map(nested).join(', ')}]`;
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([key, item]) => `${key}: ${nested(item)}`)
      .join(', ')}}`;
  return String(value);
}

function nested(value: unknown): string {
  return typeof value === 'string' ? `'${oneLine(value)}'` : cellText(value);
}

function oneLine(text: string): string {
  return text
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll('\r', '\\r')
    .replaceAll(/\p{Cc}/gu, '·');
}

function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let used = 0;
  let out = '';
  for (const character of text) {
    used += displayWidth(character);
    if (used > width - 1) break;
    out += character;
  }
  return `${out}…`;
}

function pad(text: string, width: number, toRight: boolean): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return toRight ? space + text : text + space;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u;
const WITHOUT_WIDTH = /\p{Mark}|\u200d|\ufe0f/u;

/** Columns that a terminal takes for the text: East Asian characters and emoji take two, combining marks none. */
export function displayWidth(text: string): number {
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += WITHOUT_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}
