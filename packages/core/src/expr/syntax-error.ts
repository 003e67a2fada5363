import { invalidArgument, type LakehouseError } from '../errors.ts';

const CONTEXT = 60;

/** An error that shows the line of the filter with a caret under the character at `offset`. */
export function syntaxError(text: string, offset: number, message: string): LakehouseError {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const newline = text.indexOf('\n', offset);
  const lineEnd = newline < 0 ? text.length : newline;

  const from = Math.max(lineStart, offset - CONTEXT);
  const to = Math.min(lineEnd, offset + CONTEXT);
  const before = (from > lineStart ? '…' : '') + text.slice(from, offset);
  const line = before + text.slice(offset, to) + (to < lineEnd ? '…' : '');
  // Tabs stay tabs, so that the caret stands under its character.
  const indent = before.replace(/[^\t]/gu, ' ');

  const lineNumber = text.slice(0, lineStart).split('\n').length;
  const where = text.includes('\n') ? ` (line ${lineNumber})` : '';
  return invalidArgument(`${message}${where}:\n  ${line}\n  ${indent}^`, { offset });
}
