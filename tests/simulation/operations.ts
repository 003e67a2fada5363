import { partitionBy } from '@lh/core';
import type { FormatVersion, Table } from '@lh/core';

import { STAGED } from './operation.ts';
import type { Draft, Operation, OperationContext } from './operation.ts';
import { ROW_OPERATIONS } from './row-operations.ts';
import type { RowKind } from './row-operations.ts';

export const PARTITION_WIDTHS = [null, 8, 4] as const;

type OtherKind = keyof typeof OTHERS;
export type DrawnKind = RowKind | OtherKind;

/** Operations of several steps, and those that make no snapshots. */
const OTHERS = {
  columns: (context, id) => [addColumn(id), ...(context.randomInteger(2) === 0 ? [dropColumn(id)] : [])],
  widen: (_, id) => [widen(id)],
  respec: (context, id) => [respec(context, id)],
  upgrade: (context, id) => [upgrade(context, id)],
  branch: writeToBranch,
  stage: stageAndPublish,
} satisfies Record<string, (context: OperationContext, id: string) => readonly Operation[]>;

/** How often each kind is drawn. What is drawn may be several operations, to be made one after the other. */
const WEIGHTS: Readonly<Record<DrawnKind, number>> = {
  append: 8,
  update: 8,
  delete: 4,
  overwrite: 3,
  overwritePartitions: 2,
  upsert: 5,
  merge: 5,
  rowDelta: 4,
  transaction: 2,
  columns: 2,
  widen: 1,
  respec: 3,
  upgrade: 3,
  branch: 3,
  stage: 3,
};

/** The kinds of operations that are made. */
export const OPERATION_KINDS: readonly string[] = [
  ...Object.keys(ROW_OPERATIONS),
  'add column',
  'drop column',
  'widen column',
  'change spec',
  'upgrade',
  'create branch',
  'write to branch',
  'fast-forward',
  'stage',
  'publish',
];
const ALL_KINDS = Object.keys(WEIGHTS) as DrawnKind[];

/** `kinds`: what to draw from; all kinds if left out. */
export function randomOperations(
  context: OperationContext & { readonly kinds?: readonly DrawnKind[] | undefined },
  id: string,
): readonly Operation[] {
  const drawn = (context.kinds ?? ALL_KINDS).flatMap((kind) => Array.from({ length: WEIGHTS[kind] }, () => kind));
  const kind = drawn[context.randomInteger(drawn.length)]!;
  if (!isOther(kind)) return [rowOperation(kind, context, id)];
  if (kind === 'respec' && !context.respecs) return [rowOperation('append', context, id)];
  return OTHERS[kind](context, id);
}

function isOther(kind: DrawnKind): kind is OtherKind {
  return kind in OTHERS;
}

function rowOperation(kind: RowKind, context: OperationContext, id: string): Operation {
  // Deletes by key don't find rows in files of other specs.
  const possible = kind === 'rowDelta' && context.respecs ? 'upsert' : kind;
  return { id, kind: possible, ...(ROW_OPERATIONS[possible](context) as Draft) };
}

const columnOf = (id: string): string => `c_${id.replaceAll('-', '_')}`;

function addColumn(id: string): Operation {
  const name = columnOf(id);
  return {
    id,
    kind: 'add column',
    run: (table, { signal }) => table.updateSchema((schema) => schema.addColumn(name, { kind: 'int' }), { signal }),
    effects: [],
    isThere: ({ metadata }) => metadata.schemas.some(({ fields }) => fields.some((field) => field.name === name)),
  };
}

function dropColumn(id: string): Operation {
  const name = columnOf(id);
  return {
    id: `${id}-drop`,
    kind: 'drop column',
    run: (table, { signal }) => table.updateSchema((schema) => schema.deleteColumn(name), { signal }),
    effects: [],
    isThere: (table) => !table.schema.fields.some((field) => field.name === name),
    // Perhaps it was never added.
    shared: true,
    refusals: ['INVALID_ARGUMENT'],
  };
}

function widen(id: string): Operation {
  return {
    id,
    kind: 'widen column',
    run: (table, { signal }) => table.updateSchema((schema) => schema.updateColumn('n', { kind: 'long' }), { signal }),
    effects: [],
    isThere: (table) => table.schema.fields.some(({ name, type }) => name === 'n' && type.kind === 'long'),
    shared: true,
  };
}

function respec({ randomInteger }: OperationContext, id: string): Operation {
  const width = PARTITION_WIDTHS[randomInteger(PARTITION_WIDTHS.length)]!;
  return {
    id,
    kind: 'change spec',
    run: (table, { signal }) =>
      table.transaction(
        (tx) => {
          const old = tx.spec.fields.filter(({ transform }) => transform.kind !== 'void');
          tx.updateSpec((spec) => {
            for (const { name } of old) spec.remove(name);
            if (width !== null) spec.add(partitionBy.truncate(width, 'k'));
          });
        },
        { signal },
      ),
    effects: [],
    isThere: ({ metadata }) => metadata.partitionSpecs.some((spec) => widthsOf(spec).includes(width)),
    shared: true,
    // What it removes may be gone.
    refusals: ['INVALID_ARGUMENT'],
  };
}

type Spec = Table['metadata']['partitionSpecs'][number];

/** What keys are truncated to by a spec, by several fields if two writers have added one; null where it has none. */
function widthsOf({ fields }: Spec): readonly (number | null)[] {
  const widths = fields.flatMap(({ transform }) => (transform.kind === 'truncate' ? transform.width : []));
  return widths.length > 0 ? widths : [null];
}

/** The widths divide each other, so the smallest tells the partition; null if there is only one. */
export function partitionWidth({ partitionSpecs }: Table['metadata'], specId: number): number | null {
  const widths = widthsOf(partitionSpecs.find((one) => one.specId === specId)!);
  return widths.reduce((a, b) => (a === null || b === null ? null : Math.min(a, b)));
}

function upgrade({ formatVersion, randomInteger }: OperationContext, id: string): Operation {
  const version = Math.min(3, formatVersion + 1 + randomInteger(2)) as FormatVersion;
  return {
    id,
    kind: 'upgrade',
    run: (table, { signal }) => table.upgradeFormatVersion(version, { signal }),
    effects: [],
    isThere: (table) => table.formatVersion >= version,
    shared: true,
    // It may be higher already.
    refusals: ['INVALID_ARGUMENT'],
  };
}

/** Write, audit, publish, by a branch. */
function writeToBranch(context: OperationContext, id: string): readonly Operation[] {
  const branch = `b-${id}`;
  const kinds: readonly RowKind[] = ['append', 'update', 'merge', 'overwritePartitions', 'delete'];
  const writes = Array.from({ length: 1 + context.randomInteger(2) }, (_, i): Operation => {
    const kind = kinds[context.randomInteger(kinds.length)]!;
    const { run, ...draft } = ROW_OPERATIONS[kind](context) as Draft;
    return {
      ...draft,
      id: `${id}-${i}`,
      kind: 'write to branch',
      on: branch,
      run: (table, options) => run(table, { ...options, branch }),
      // There may be no branch.
      refusals: ['NOT_FOUND'],
    };
  });
  const ids = writes.map((write) => write.id);
  return [
    {
      id,
      kind: 'create branch',
      run: (table, { signal }) => table.createBranch(branch, { signal }),
      effects: [],
      isThere: (table) => branch in table.refs(),
      // There may be no snapshot.
      refusals: ['INVALID_ARGUMENT'],
    },
    ...writes,
    {
      id: `${id}-forward`,
      kind: 'fast-forward',
      run: (table, { signal }) => table.fastForward('main', branch, { signal }),
      effects: [],
      isThere: (table) => {
        const onMain = new Set(snapshotsOf(table, 'main'));
        return snapshotsOf(table, branch).every(
          (snapshot) => onMain.has(snapshot) || !ids.includes(operationOf(snapshot)!),
        );
      },
      mayDoNothing: true,
      shared: true,
      repeatable: true,
      // Main may have moved.
      refusals: ['INVALID_ARGUMENT', 'NOT_FOUND'],
    },
  ];
}

/** Write, audit, publish, by a snapshot that is staged. */
function stageAndPublish(context: OperationContext, id: string): readonly Operation[] {
  const kinds: readonly RowKind[] = ['append', 'append', 'overwritePartitions', 'update'];
  const kind = kinds[context.randomInteger(kinds.length)]!;
  const { run, ...draft } = ROW_OPERATIONS[kind](context) as Draft;
  return [
    { ...draft, id, kind: 'stage', on: STAGED, run: (table, options) => run(table, { ...options, wapId: id }) },
    {
      id: `${id}-publish`,
      kind: 'publish',
      run: (table, { signal }) => table.publishChanges(id, { signal }),
      effects: [],
      isThere: (table) => publishedBy(table, id) > 0,
      repeatable: true,
      alreadyMade: 'ALREADY_EXISTS',
      // Perhaps nothing was staged, or it doesn't go together with what came meanwhile.
      refusals: ['INVALID_ARGUMENT', 'NOT_FOUND'],
    },
  ];
}

type Snapshot = ReturnType<Table['snapshots']>[number];

/** The snapshots that a branch is made of, the oldest first. */
export function snapshotsOf(table: Table, branch: string): readonly Snapshot[] {
  const byId = new Map(table.snapshots().map((snapshot) => [snapshot.snapshotId, snapshot]));
  const line: Snapshot[] = [];
  let id = table.refs()[branch]?.snapshotId ?? null;
  while (id !== null) {
    const snapshot: Snapshot | undefined = byId.get(id);
    if (!snapshot) throw new Error(`the snapshot ${id} of the branch ${branch} is missing`);
    line.push(snapshot);
    id = snapshot.parentSnapshotId;
  }
  return line.toReversed();
}

/** The operation that made a snapshot, or what it publishes. */
export function operationOf({ summary }: Snapshot): string | undefined {
  return summary['published-wap-id'] ?? summary['simulated-operation'];
}

/** How often what was staged is on main. */
export function publishedBy(table: Table, wapId: string): number {
  return snapshotsOf(table, 'main').filter((snapshot) => operationOf(snapshot) === wapId).length;
}
