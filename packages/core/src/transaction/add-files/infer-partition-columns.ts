import { invalidArgument } from '../../errors.ts';
import { parseDate } from '../../spec/datetime-text.ts';
import { isInt, isLong } from '../../spec/integers.ts';
import type { PrimitiveType } from '../../spec/types.ts';
import { directoryText, directoryValues } from './path-values.ts';
import type { SelectedFile } from './select-files.ts';

export interface PartitionColumn {
  readonly name: string;
  /** The narrowest of int, long, date and string that all of its directories are. Leading zeros don't count. */
  readonly type: PrimitiveType;
}

/** The columns that directories tell, `country=KR/day=2024-01-01`. INVALID_ARGUMENT unless all files agree on them. */
export function inferPartitionColumns(files: readonly SelectedFile[]): readonly PartitionColumn[] {
  const columns = new Map<string, Set<PartitionKind>>();
  const [first] = files;
  const names = first === undefined ? [] : [...directoryValues(first.hivePath).keys()];
  for (const name of names) columns.set(name, new Set(KINDS));
  for (const { location, hivePath } of files) {
    const values = directoryValues(hivePath);
    if ([...values.keys()].join('/') !== names.join('/')) {
      throw invalidArgument(
        `${location} is in other partitions than ${first!.location}: all files must be in directories of the same names.`,
        { path: location },
      );
    }
    for (const [name, raw] of values) {
      const text = directoryText(raw);
      const kinds = columns.get(name)!;
      if (text !== null) for (const kind of kinds) if (!IS_VALUE[kind](text)) kinds.delete(kind);
    }
  }
  const hasValue = (name: string): boolean =>
    files.some(({ hivePath }) => directoryText(directoryValues(hivePath).get(name)!) !== null);
  return names.map((name) => {
    const [kind] = columns.get(name)!;
    return { name, type: { kind: hasValue(name) ? kind! : 'string' } };
  });
}

type PartitionKind = 'int' | 'long' | 'date' | 'string';

const KINDS: readonly PartitionKind[] = ['int', 'long', 'date', 'string'];

const IS_VALUE: Readonly<Record<PartitionKind, (text: string) => boolean>> = {
  int: (text) => isWhole(text) && isInt(Number(text)),
  long: (text) => isWhole(text) && isLong(BigInt(text)),
  date: (text) => parseDate(text) !== undefined,
  string: () => true,
};

function isWhole(text: string): boolean {
  return /^-?\d+$/.test(text);
}
