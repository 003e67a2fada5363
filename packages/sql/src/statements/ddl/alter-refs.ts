import type { BranchOptions, Transaction } from '@lh/core';
import type { TokenReader } from '../token-reader.ts';

/** A change of a branch or tag. */
export type RefChange =
  | {
      readonly kind: 'create' | 'replace' | 'create-or-replace';
      readonly type: RefType;
      readonly name: string;
      readonly ifNotExists: boolean;
      readonly options: BranchOptions;
    }
  | { readonly kind: 'drop'; readonly type: RefType; readonly name: string; readonly ifExists: boolean };

type RefType = 'branch' | 'tag';

/** `CREATE BRANCH x AS OF VERSION 1 RETAIN 7 DAYS …`; null for something else. */
export function readRefChange(reader: TokenReader): RefChange | null {
  for (const type of ['branch', 'tag'] as const) {
    if (reader.take('drop', type)) {
      const ifExists = reader.take('if', 'exists');
      return { kind: 'drop', type, name: readRefName(reader, type), ifExists };
    }
    const kind = readVerb(reader, type);
    if (kind === null) continue;
    const ifNotExists = kind === 'create' && reader.take('if', 'not', 'exists');
    const name = readRefName(reader, type);
    return { kind, type, name, ifNotExists, options: readOptions(reader, type) };
  }
  return null;
}

function readVerb(reader: TokenReader, type: RefType): 'create' | 'replace' | 'create-or-replace' | null {
  if (reader.take('create', 'or', 'replace', type)) return 'create-or-replace';
  if (reader.take('create', type)) return 'create';
  return reader.take('replace', type) ? 'replace' : null;
}

function readRefName(reader: TokenReader, type: RefType): string {
  return reader.peek()?.kind === 'string' ? reader.string(`a ${type}`) : reader.word(`the name of the ${type}`);
}

function readOptions(reader: TokenReader, type: RefType): BranchOptions {
  const snapshotId = reader.take('as', 'of', 'version') ? reader.integer('the id of a snapshot') : undefined;
  const maxRefAgeMs = reader.take('retain') ? readDuration(reader) : undefined;
  if (type === 'tag' || !reader.take('with', 'snapshot', 'retention')) return { snapshotId, maxRefAgeMs };
  const isCount = reader.peek(1)?.value.toLowerCase().startsWith('snapshot') === true;
  const minSnapshotsToKeep = isCount ? Number(reader.integer('a number of snapshots')) : undefined;
  if (isCount) reader.takeOneOf('snapshots', 'snapshot');
  const hasAge = !isCount || reader.peek()?.kind === 'number';
  return { snapshotId, maxRefAgeMs, minSnapshotsToKeep, maxSnapshotAgeMs: hasAge ? readDuration(reader) : undefined };
}

const MINUTE = 60_000;
const UNITS: Readonly<Record<string, number>> = { day: 1440 * MINUTE, hour: 60 * MINUTE, minute: MINUTE };

/** `7 DAYS` in milliseconds. */
function readDuration(reader: TokenReader): number {
  const count = Number(reader.integer('a number of days, hours or minutes'));
  const unit = reader.takeOneOf('days', 'day', 'hours', 'hour', 'minutes', 'minute');
  if (unit === null) throw reader.unexpected('DAYS, HOURS or MINUTES');
  return count * UNITS[unit.replace(/s$/, '')]!;
}

export function changeRef(change: RefChange, refs: ReadonlySet<string>, transaction: Transaction): void {
  const { kind, type, name } = change;
  const exists = refs.has(name);
  if (kind === 'drop') {
    if (change.ifExists && !exists) return;
    if (type === 'branch') transaction.dropBranch(name);
    else transaction.dropTag(name);
    return;
  }
  if (change.ifNotExists && exists) return;
  const replaces = kind === 'replace' || (kind === 'create-or-replace' && exists);
  if (type === 'branch') {
    if (replaces) transaction.replaceBranch(name, change.options);
    else transaction.createBranch(name, change.options);
  } else if (replaces) transaction.replaceTag(name, change.options);
  else transaction.createTag(name, change.options);
}
