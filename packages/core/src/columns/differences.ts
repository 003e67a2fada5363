import { getBit, isValid } from './column.ts';
import type { Column, ListColumn, NumbersColumn } from './column.ts';

/**
 * Sets `flags[row]` where two columns of one type differ: null equals null and NaN equals NaN, -0 and +0 differ; maps are
 * equal if their entries are, in order.
 */
export function markDifferences(a: Column, b: Column, flags: Uint8Array): void {
  const differs = rowDiffers(a, b);
  for (let row = 0; row < a.length; row++) if (flags[row] === 0 && differs(row, row)) flags[row] = 1;
}

/** Whether a row of the one column differs from one of the other. */
type RowDiffers = (rowA: number, rowB: number) => boolean;

function rowDiffers(a: Column, b: Column): RowDiffers {
  const values = valueDiffers(a, b);
  if (a.layout === 'nothing' || (a.validity === null && b.validity === null)) return values;
  return (rowA, rowB) => {
    const valid = isValid(a, rowA);
    if (valid !== isValid(b, rowB)) return true;
    return valid && values(rowA, rowB);
  };
}

/** Of values that are not null. */
function valueDiffers(a: Column, b: Column): RowDiffers {
  switch (a.layout) {
    case 'nothing':
      return () => false;
    case 'bits': {
      const other = b as typeof a;
      return (rowA, rowB) => getBit(a.bits, rowA) !== getBit(other.bits, rowB);
    }
    case 'numbers':
      return numbersDiffer(a, b as typeof a);
    case 'fixed': {
      const { width, bytes } = a;
      const other = (b as typeof a).bytes;
      return (rowA, rowB) => bytesDiffer(bytes, rowA * width, other, rowB * width, width);
    }
    case 'variable': {
      const other = b as typeof a;
      return (rowA, rowB) => {
        const [startA, startB] = [a.offsets[rowA]!, other.offsets[rowB]!];
        const length = a.offsets[rowA + 1]! - startA;
        if (other.offsets[rowB + 1]! - startB !== length) return true;
        return bytesDiffer(a.bytes, startA, other.bytes, startB, length);
      };
    }
    case 'struct': {
      const children = a.children.map((child, i) => rowDiffers(child, (b as typeof a).children[i]!));
      return (rowA, rowB) => children.some((differ) => differ(rowA, rowB));
    }
    case 'list':
      return itemsDiffer(a, b as typeof a);
  }
}

function numbersDiffer(a: NumbersColumn, b: NumbersColumn): RowDiffers {
  // Object.is knows bigints as well, but is slower than an operator.
  if (a.values instanceof Float32Array || a.values instanceof Float64Array)
    return (rowA, rowB) => !Object.is(a.values[rowA], b.values[rowB]);
  return (rowA, rowB) => a.values[rowA] !== b.values[rowB];
}

function itemsDiffer(a: ListColumn, b: ListColumn): RowDiffers {
  const differ = rowDiffers(a.items, b.items);
  return (rowA, rowB) => {
    const [startA, startB] = [a.offsets[rowA]!, b.offsets[rowB]!];
    const length = a.offsets[rowA + 1]! - startA;
    if (b.offsets[rowB + 1]! - startB !== length) return true;
    for (let i = 0; i < length; i++) if (differ(startA + i, startB + i)) return true;
    return false;
  };
}

function bytesDiffer(a: Uint8Array, startA: number, b: Uint8Array, startB: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[startA + i] !== b[startB + i]) return true;
  return false;
}
