/** One replacement in a text; `start === end` inserts. UTF-16 offsets. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface EditedText {
  readonly text: string;
  /** The offset in the original text of an offset in the edited one; inside a replacement, the start of what it replaced. */
  toOriginal(offset: number): number;
}

/** Applies edits that don't overlap. */
export function applyEdits(original: string, edits: readonly Edit[]): EditedText {
  const sorted = edits.toSorted((a, b) => a.start - b.start || a.end - b.end);
  const pieces: string[] = [];
  const marks: { readonly edited: number; readonly original: number; readonly replaced: boolean }[] = [];
  let from = 0;
  let length = 0;
  const add = (piece: string, at: number, replaced: boolean) => {
    marks.push({ edited: length, original: at, replaced });
    pieces.push(piece);
    length += piece.length;
  };
  for (const edit of sorted) {
    add(original.slice(from, edit.start), from, false);
    add(edit.text, edit.start, true);
    from = edit.end;
  }
  add(original.slice(from), from, false);
  return {
    text: pieces.join(''),
    toOriginal(offset) {
      const mark = marks.findLast((candidate) => candidate.edited <= offset) ?? marks[0]!;
      return mark.replaced ? mark.original : mark.original + (offset - mark.edited);
    },
  };
}

/** Translates DuckDB's UTF-8 byte offsets into UTF-16 offsets. */
export function byteOffsetMap(text: string): (byteOffset: number) => number {
  // Most statements are ASCII: then both are the same.
  const bytes = new TextEncoder().encode(text);
  if (bytes.length === text.length) return (offset) => offset;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return (offset) => decoder.decode(bytes.subarray(0, offset)).length;
}
