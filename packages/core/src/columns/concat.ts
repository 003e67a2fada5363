import { invalidData } from '../errors.ts';
import { allValid, bitmapSize, getBit, setBit } from './column.ts';
import type { Column, ColumnBatch, NumberArray } from './column.ts';

/** One batch out of several of the same schema. */
export function concatBatches(batches: readonly ColumnBatch[]): ColumnBatch {
  if (batches.length === 1) return batches[0]!;
  const width = batches[0]?.columns.length ?? 0;
  return {
    length: batches.reduce((sum, batch) => sum + batch.length, 0),
    columns: Array.from({ length: width }, (_, i) => concatColumns(batches.map((batch) => batch.columns[i]!))),
  };
}

/** One column out of several of the same layout, in order. */
export function concatColumns(parts: readonly Column[]): Column {
  const first = parts[0]!;
  if (parts.length === 1) return first;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const validity = concatValidity(parts, length);
  switch (first.layout) {
    case 'nothing':
      return { layout: 'nothing', length, validity: null };
    case 'bits':
      return { layout: 'bits', length, validity, bits: concatBits(alike(first, parts), length, (part) => part.bits) };
    case 'numbers':
      return { layout: 'numbers', length, validity, values: concatNumbers(alike(first, parts), length) };
    case 'fixed': {
      const bytes = new Uint8Array(length * first.width);
      let at = 0;
      for (const part of alike(first, parts)) {
        bytes.set(part.bytes.subarray(0, part.length * first.width), at);
        at += part.length * first.width;
      }
      return { layout: 'fixed', length, validity, width: first.width, bytes };
    }
    case 'variable': {
      const same = alike(first, parts);
      const offsets = concatOffsets(same, length);
      const bytes = new Uint8Array(offsets[length]!);
      let at = 0;
      for (const part of same) {
        const used = part.bytes.subarray(part.offsets[0], part.offsets[part.length]);
        bytes.set(used, at);
        at += used.length;
      }
      return { layout: 'variable', length, validity, offsets, bytes };
    }
    case 'struct': {
      const same = alike(first, parts);
      const children = first.children.map((_, i) => concatColumns(same.map((part) => part.children[i]!)));
      return { layout: 'struct', length, validity, children };
    }
    case 'list': {
      // Items before a part's first offset or after its last one would shift the rest, but nothing makes such lists.
      const same = alike(first, parts);
      return {
        layout: 'list',
        length,
        validity,
        offsets: concatOffsets(same, length),
        items: concatColumns(same.map((part) => part.items)),
      };
    }
  }
}

function alike<C extends Column>(first: C, parts: readonly Column[]): readonly C[] {
  if (parts.some((part) => part.layout !== first.layout))
    throw invalidData('Columns of different layouts were joined.');
  return parts as readonly C[];
}

function concatValidity(parts: readonly Column[], length: number): Uint8Array | null {
  if (parts.every((part) => part.validity === null)) return null;
  return concatBits(parts, length, (part) => part.validity ?? allValid(part.length));
}

function concatBits<C extends Column>(
  parts: readonly C[],
  length: number,
  bitsOf: (part: C) => Uint8Array,
): Uint8Array {
  const out = new Uint8Array(bitmapSize(length));
  let at = 0;
  for (const part of parts) {
    const bits = bitsOf(part);
    if ((at & 7) === 0) {
      // Bits past a part's end are zero, so whole bytes can be copied.
      out.set(bits.subarray(0, bitmapSize(part.length)), at >> 3);
      if (part.length & 7) out[(at + part.length) >> 3]! &= (1 << (part.length & 7)) - 1;
    } else {
      for (let i = 0; i < part.length; i++) if (getBit(bits, i)) setBit(out, at + i);
    }
    at += part.length;
  }
  return out;
}

function concatNumbers(
  parts: readonly { readonly values: NumberArray; readonly length: number }[],
  length: number,
): NumberArray {
  const out = new (parts[0]!.values.constructor as new (length: number) => NumberArray)(length) as Float64Array;
  let at = 0;
  for (const part of parts) {
    out.set((part.values as Float64Array).subarray(0, part.length), at);
    at += part.length;
  }
  return out;
}

function concatOffsets(
  parts: readonly { readonly offsets: Int32Array; readonly length: number }[],
  length: number,
): Int32Array {
  const out = new Int32Array(length + 1);
  let at = 0;
  let end = 0;
  for (const part of parts) {
    const start = part.offsets[0]!;
    for (let i = 1; i <= part.length; i++) out[at + i] = end + part.offsets[i]! - start;
    at += part.length;
    end += part.offsets[part.length]! - start;
  }
  return out;
}
