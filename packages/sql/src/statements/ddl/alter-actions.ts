import type { PartitionFieldInput, SortFieldInput } from '@lh/core';
import type { TokenReader } from '../token-reader.ts';
import { readColumnChange } from './alter-column.ts';
import type { ColumnChange } from './alter-column.ts';
import { readRefChange } from './alter-refs.ts';
import type { RefChange } from './alter-refs.ts';
import { readFields, readPartitionField, readSortField } from './partition-fields.ts';
import { readKeys, readProperties, withOption } from './properties.ts';
import type { Properties, TableOptions } from './properties.ts';

/** One thing that ALTER TABLE does, and the token that it starts at. */
export type AlterAction = { readonly at: number } & AlterChange;

export type AlterChange =
  | { readonly kind: 'column'; readonly change: ColumnChange }
  | { readonly kind: 'partitioning'; readonly change: PartitioningChange }
  | { readonly kind: 'order'; readonly sortBy: readonly SortFieldInput[]; readonly distribution: Distribution }
  | { readonly kind: 'set-properties'; readonly properties: Properties }
  | { readonly kind: 'unset-properties'; readonly keys: readonly string[] }
  | { readonly kind: 'set-options'; readonly options: TableOptions }
  | { readonly kind: 'ref'; readonly change: RefChange }
  | { readonly kind: 'rename'; readonly to: readonly string[] };

/** Without a name of its own a removed field is found by what it is made of, or by its name. */
export type PartitioningChange =
  | { readonly kind: 'add'; readonly field: PartitionFieldInput }
  | { readonly kind: 'drop'; readonly field: PartitionFieldInput }
  | { readonly kind: 'replace'; readonly field: PartitionFieldInput; readonly by: PartitionFieldInput };

/** What `write.distribution-mode` is set to. */
export type Distribution = 'none' | 'hash' | 'range';

/** All actions, with commas between them, up to the end of the statement. */
export function readAlterActions(reader: TokenReader): readonly AlterAction[] {
  const actions: AlterAction[] = [];
  do {
    const at = reader.index;
    for (const change of readAlterChange(reader)) actions.push({ ...change, at });
  } while (reader.takeSymbol(','));
  reader.end();
  return actions;
}

function readAlterChange(reader: TokenReader): readonly AlterChange[] {
  if (reader.take('rename', 'to')) return [{ kind: 'rename', to: reader.name('the new name') }];
  if (reader.take('write')) return [readWriteOrder(reader)];
  if (reader.take('set', 'properties')) return [readOptions(reader)];
  if (reader.take('set', 'tblproperties')) return [{ kind: 'set-properties', properties: readProperties(reader) }];
  if (reader.take('unset', 'tblproperties')) {
    // Those that are not there are no error in any case.
    reader.take('if', 'exists');
    return [{ kind: 'unset-properties', keys: readKeys(reader) }];
  }
  const partitioning = readPartitioning(reader);
  if (partitioning) return [{ kind: 'partitioning', change: partitioning }];
  const ref = readRefChange(reader);
  if (ref) return [{ kind: 'ref', change: ref }];
  return readColumnChange(reader).map((change) => ({ kind: 'column', change }));
}

function readPartitioning(reader: TokenReader): PartitioningChange | null {
  if (reader.take('add', 'partition', 'field')) return { kind: 'add', field: readPartitionField(reader) };
  if (reader.take('drop', 'partition', 'field')) return { kind: 'drop', field: readPartitionField(reader) };
  if (!reader.take('replace', 'partition', 'field')) return null;
  const field = readPartitionField(reader);
  reader.expect('with');
  return { kind: 'replace', field, by: readPartitionField(reader) };
}

/** `ORDERED BY …`, `LOCALLY ORDERED BY …`, `DISTRIBUTED BY PARTITION …`, `UNORDERED`: with Spark's distribution modes. */
function readWriteOrder(reader: TokenReader): AlterChange {
  const isDistributed = reader.take('distributed', 'by', 'partition');
  if (reader.take('unordered')) return { kind: 'order', sortBy: [], distribution: isDistributed ? 'hash' : 'none' };
  const isLocal = reader.take('locally');
  if (isDistributed && !isLocal && !reader.isAt('ordered')) return { kind: 'order', sortBy: [], distribution: 'hash' };
  reader.expect('ordered', 'by');
  const sortBy = readFields(reader, 'the sort order', readSortField);
  return { kind: 'order', sortBy, distribution: isDistributed ? 'hash' : isLocal ? 'none' : 'range' };
}

/** Trino's `SET PROPERTIES partitioning = …, format_version = 3`. */
function readOptions(reader: TokenReader): AlterChange {
  let options: TableOptions = { properties: {} };
  reader.list(() => {
    options = withOption(reader, options);
  });
  return { kind: 'set-options', options };
}
