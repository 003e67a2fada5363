import { Variant } from '@lh/core';

export interface PrintOptions {
  /** Rows shown; the rest is counted. 40 if left out. */
  readonly maxRows?: number;
  /** Columns of text that a value may take. 60 if left out. */
  readonly maxWidth?: number;
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
  const { maxWidth = 60 } = options;
  const cells = rows.map((row) => row.map((value) => cut(cellText(value), maxWidth)));
  const titles = columns.map(({ name }) => cut(oneLine(name), maxWidth));
  const widths = titles.map((title, i) =>
    Math.max(1, displayWidth(title), ...cells.map((row) => displayWidth(row[i]!))),
  );
  const line = (left: string, middle: string, right: string): string =>
    left + widths.map((width) => '─'.repeat(width + 2)).join(middle) + right;
  const row = (texts: readonly string[], toRight: (i: number) => boolean): string =>
    `│${texts.map((text, i) => ` ${pad(text, widths[i]!, toRight(i))} `).join('│')}│`;
  const body = cells.map((texts) => row(texts, (i) => columns[i]!.isNumeric));
  return [
    line('┌', '┬', '┐'),
    row(titles, () => false),
    line('├', '┼', '┤'),
    ...body,
    line('└', '┴', '┘'),
    footer,
  ].join('\n');
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
