import { MemoryTableOperations } from '../../src/catalog/memory-table-operations.ts';
import type { MemoryTableEntry } from '../../src/catalog/memory-table-operations.ts';
import { isLakehouseError } from '../../src/errors.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { readManifestList } from '../../src/manifest/read-manifest-list.ts';
import { readManifest } from '../../src/manifest/read-manifest.ts';
import { readTaskColumns } from '../../src/read/read-task.ts';
import { randomUuid } from '../../src/runtime.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import type { ManifestEntry } from '../../src/spec/manifest.ts';
import { currentSchema, currentSpec, specById } from '../../src/spec/metadata-accessors.ts';
import { newTableMetadata } from '../../src/spec/new-table-metadata.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';
import { UNSORTED } from '../../src/spec/sort-order.ts';
import type { FormatVersion, TableMetadata } from '../../src/spec/table-metadata.ts';
import type { IcebergType, StructType } from '../../src/spec/types.ts';
import { tableFromOperations } from '../../src/table.ts';
import type { Table } from '../../src/table.ts';
import { FaultInjectingFileIO } from '../../src/testing/fault-injecting-file-io.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { commitActions } from '../../src/transaction/commit-loop.ts';
import type { RowLevelMode } from '../../src/transaction/operations/row-level-settings.ts';
import { snapshotChangeAction } from '../../src/transaction/snapshot-change-action.ts';
import type { SnapshotChange } from '../../src/transaction/snapshot-change.ts';
import { StagedFiles } from '../../src/transaction/staged-files.ts';
import { writeDataFiles } from '../../src/write/data-writer.ts';
import { dataLocations } from '../../src/write/locations.ts';

const LOCATION = 'memory:/wh/db/t';

type Row = Record<string, unknown>;

export interface RandomTableOptions {
  readonly seed: number;
  readonly formatVersion?: FormatVersion;
  readonly partitioned?: boolean;
  /** Position deletes of several data files in one file. */
  readonly sharedDeletes?: boolean;
}

/** A table in memory, and changes of every kind that a history can have, drawn from a seed. */
export class RandomTable {
  readonly io: FileIO;
  readonly runtime: SeededRuntime;
  /** Whether calls of the store take time of the runtime's clock, so that tasks that it runs get in between. */
  isSlow = false;
  readonly #entry: MemoryTableEntry = { levels: ['db', 't'], metadataLocation: null };
  readonly #dropped: DataFile[] = [];
  #columns = 0;
  table!: Table;

  private constructor(seed: number) {
    this.runtime = new SeededRuntime(seed);
    const { runtime } = this;
    const rules = [{ fault: 'delay', when: () => this.isSlow, delayMs: 10 }] as const;
    this.io = new FaultInjectingFileIO(new MemoryFileIO(), { runtime, rules });
  }

  static async create(options: RandomTableOptions): Promise<RandomTable> {
    const made = new RandomTable(options.seed);
    const shape = schema(
      {
        id: t.long().required(),
        city: t.string(),
        k: t.int(),
        x: t.double(),
        st: t.struct({ a: t.int(), b: t.list(t.string()) }),
        m: t.map(t.string(), t.int()),
      },
      { identifier: ['id'] },
    );
    const metadata = newTableMetadata({
      schema: shape,
      formatVersion: options.formatVersion ?? 2,
      ...(options.partitioned && { partitionBy: [partitionBy.identity('city')] }),
      properties: {
        'write.delete.granularity': options.sharedDeletes ? 'partition' : 'file',
        // Many small manifests would never be merged otherwise.
        'commit.manifest.min-count-to-merge': '4',
      },
      location: LOCATION,
      uuid: randomUuid(made.runtime),
      nowMs: made.runtime.now(),
    });
    const loaded = await made.operations().writeMetadata(metadata, null);
    made.#entry.metadataLocation = loaded.metadataLocation;
    made.table = await made.handle();
    await made.table.append(made.rows(8));
    return made;
  }

  /** Another writer's or reader's. */
  async handle(): Promise<Table> {
    const operations = this.operations();
    return tableFromOperations(operations, await operations.load(), { runtime: this.runtime });
  }

  operations(): MemoryTableOperations {
    return new MemoryTableOperations(this.#entry, this.io, this.runtime);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.runtime.randomInteger(from.length)]!;
  }

  /** One change, of a branch if one is given. What the table refuses doesn't count. */
  async change(branch?: string, kinds: readonly ChangeKind[] = ALL): Promise<string> {
    await this.table.refresh();
    const kind = this.pick(kinds);
    try {
      await CHANGES[kind](this, branch);
      return kind;
    } catch (error) {
      if (REFUSALS.some((code) => isLakehouseError(error, code))) return `${kind} refused`;
      throw error;
    }
  }

  row(): Row {
    return this.#value(this.table.schema) as Row;
  }

  rows(most: number): Row[] {
    return Array.from({ length: 1 + this.runtime.randomInteger(most) }, () => this.row());
  }

  city(): string | null {
    return this.pick(['a', 'b', null]);
  }

  filter(): string {
    const id = this.runtime.randomInteger(10);
    return this.pick([`id = ${id}`, `id < ${id}`, "city = 'a'", 'city IS NULL', `id >= ${id} AND city = 'b'`]);
  }

  newColumn(): string {
    return `c${this.#columns++}`;
  }

  #value(type: IcebergType): unknown {
    switch (type.kind) {
      case 'struct':
        return Object.fromEntries(type.fields.map((field) => [field.name, this.#fieldValue(field)]));
      case 'list':
        return Array.from({ length: this.runtime.randomInteger(3) }, () => this.#value(type.element));
      case 'map':
        return new Map(
          this.runtime.random() < 0.5 ? [] : this.pick([['p', 'q'], ['q', 'p'], ['q']]).map((key) => [key, 1]),
        );
      case 'long':
        return BigInt(this.runtime.randomInteger(10));
      case 'int':
        return this.runtime.randomInteger(2);
      case 'double':
        return this.pick([0, -0, Number.NaN]);
      default:
        return this.pick(['u', 'v']);
    }
  }

  #fieldValue({ name, type, required }: StructType['fields'][number]): unknown {
    if (name === 'city') return this.city();
    return !required && this.runtime.random() < 0.3 ? null : this.#value(type);
  }

  /** Commits a change of files as it is, whatever a sensible writer would do. */
  async commit(branch: string | undefined, change: Partial<SnapshotChange>): Promise<void> {
    const operations = this.operations();
    const { metadata } = await operations.load();
    const action = snapshotChangeAction({
      baseSnapshotId: this.head(metadata, branch)?.snapshotId ?? null,
      branch: branch ?? 'main',
      operation: 'overwrite',
      addedData: [],
      addedDeletes: [],
      removed: [],
      checks: {},
      summary: {},
      ...change,
    });
    await commitActions([action], {
      operations,
      runtime: this.runtime,
      staged: new StagedFiles(this.io),
      commitUuid: randomUuid(this.runtime),
      signal: undefined,
      tableUuid: metadata.tableUuid,
      branch: branch ?? 'main',
    });
  }

  head(metadata: TableMetadata, branch = 'main'): Snapshot | null {
    const id = metadata.refs[branch]?.snapshotId ?? null;
    return metadata.snapshots.find(({ snapshotId }) => snapshotId === id) ?? null;
  }

  async liveEntries(branch?: string): Promise<readonly ManifestEntry[]> {
    const { metadata } = this.table;
    const head = this.head(metadata, branch);
    return head === null ? [] : entriesOf(this, metadata, head);
  }

  /** Rewrites some files as they are, with the sequence number that they have, or as new data. */
  async rewrite(branch: string | undefined): Promise<void> {
    const { metadata } = this.table;
    const head = this.head(metadata, branch);
    if (head === null) return;
    const { tasks } = await this.table.scan(branch === undefined ? {} : { ref: branch }).plan();
    const chosen = tasks.filter(() => this.runtime.random() < 0.6);
    if (chosen.length === 0) return;
    const shape = currentSchema(metadata);
    const { io } = this;
    const read = async function* () {
      for (const task of chosen) yield* readTaskColumns(io, task, { projection: shape });
    };
    const spec = currentSpec(metadata);
    const files = await writeDataFiles(read(), {
      io,
      schema: shape,
      spec,
      sortOrder: UNSORTED,
      properties: {},
      locationFor: dataLocations(LOCATION, {}),
      runtime: this.runtime,
    });
    await this.commit(branch, {
      operation: 'replace',
      baseSnapshotId: head.snapshotId,
      checks: { noNewDeletesFor: chosen.map(({ file }) => file) },
      addedData: [{ files, schema: shape, spec, lastColumnId: metadata.lastColumnId }],
      removed: chosen.map(({ file }) => file),
      ...(metadata.formatVersion > 1 && { dataSequenceNumber: head.sequenceNumber }),
    });
  }

  /** Rows that a delete file deleted come back. */
  async forgetDelete(branch: string | undefined): Promise<void> {
    const deletes = (await this.liveEntries(branch)).filter(({ file }) => file.content !== 'data');
    if (deletes.length > 0) await this.commit(branch, { removed: [this.pick(deletes).file] });
  }

  async dropFile(branch: string | undefined): Promise<void> {
    const files = (await this.liveEntries(branch)).filter(({ file }) => file.content === 'data');
    if (files.length === 0) return;
    const { file } = this.pick(files);
    this.#dropped.push(file);
    await this.commit(branch, { operation: 'delete', removed: [file] });
  }

  /** A file that was dropped is added again. */
  async restoreFile(branch: string | undefined): Promise<void> {
    const live = new Set((await this.liveEntries(branch)).map(({ file }) => file.path));
    const gone = this.#dropped.filter(({ path }) => !live.has(path));
    if (gone.length === 0) return;
    const { metadata } = this.table;
    const file = { ...this.pick(gone), firstRowId: null };
    const [shape, spec] = [currentSchema(metadata), specById(metadata, file.specId)];
    await this.commit(branch, {
      addedData: [{ files: [file], schema: shape, spec, lastColumnId: metadata.lastColumnId }],
    });
  }
}

export async function entriesOf(
  { io }: Pick<RandomTable, 'io'>,
  metadata: TableMetadata,
  snapshot: Snapshot,
): Promise<readonly ManifestEntry[]> {
  const entries: ManifestEntry[] = [];
  const options = { specs: metadata.partitionSpecs, schema: currentSchema(metadata), otherSchemas: metadata.schemas };
  for (const manifest of await readManifestList(io, snapshot, metadata)) {
    for await (const batch of readManifest(io, manifest, { ...options, liveOnly: true })) entries.push(...batch);
  }
  return entries;
}

/** A conflict: others were faster, and what was to be done can't be any more. */
const REFUSALS = ['INVALID_ARGUMENT', 'UNSUPPORTED', 'COMMIT_CONFLICT'] as const;

type Change = (random: RandomTable, branch: string | undefined) => Promise<unknown>;

const on = (branch: string | undefined) => (branch === undefined ? {} : { branch });
const mode = (random: RandomTable): { readonly mode: RowLevelMode } => ({
  mode: random.table.formatVersion > 1 ? random.pick(['copy-on-write', 'merge-on-read']) : 'copy-on-write',
});

export type ChangeKind =
  | 'append'
  | 'delete'
  | 'update'
  | 'updateNothing'
  | 'upsert'
  | 'streamingUpsert'
  | 'overwrite'
  | 'overwritePartitions'
  | 'rewrite'
  | 'forgetDelete'
  | 'dropFile'
  | 'restoreFile'
  | 'addColumn'
  | 'changeColumns'
  | 'changeSpec'
  | 'upgrade';

const CHANGES: Readonly<Record<ChangeKind, Change>> = {
  append: (random, branch) => random.table.append(random.rows(5), on(branch)),
  delete: (random, branch) => random.table.delete(random.filter(), { ...on(branch), ...mode(random) }),
  update: (random, branch) =>
    random.table.update(random.filter(), { city: random.city() }, { ...on(branch), ...mode(random) }),
  updateNothing: (random, branch) =>
    random.table.update(random.filter(), { city: (row: Row) => row['city'] }, { ...on(branch), ...mode(random) }),
  upsert: (random, branch) => {
    const byId = new Map(random.rows(4).map((row) => [row['id'], row]));
    return random.table.upsert([...byId.values()], { on: ['id'], ...on(branch), ...mode(random) });
  },
  streamingUpsert: (random, branch) => {
    const rows = random.rows(4);
    const fields = random.pick([['id'], ['city', 'id'], ['city']]);
    const partitionColumns = random.table.spec.fields.map(({ name }) => name.split('_')[0]!);
    const columns = [...new Set([...fields, ...partitionColumns])];
    const keys = rows.map((row) => Object.fromEntries(columns.map((name) => [name, row[name]])));
    return random.table.rowDelta({ rows, equalityDeletes: { fields, rows: keys } }, on(branch));
  },
  overwrite: (random, branch) =>
    random.table.overwrite(random.rows(3), { filter: random.filter(), ...on(branch), ...mode(random) }),
  overwritePartitions: (random, branch) => random.table.overwritePartitions(random.rows(3), on(branch)),
  rewrite: (random, branch) => random.rewrite(branch),
  forgetDelete: (random, branch) => random.forgetDelete(branch),
  dropFile: (random, branch) => random.dropFile(branch),
  restoreFile: (random, branch) => random.restoreFile(branch),
  addColumn: (random) => random.table.updateSchema((s) => s.addColumn(random.newColumn(), t.int())),
  changeColumns: (random) =>
    random.table.updateSchema((s) => {
      const names = random.table.schema.fields
        .map(({ name }) => name)
        .filter((name) => name !== 'id' && name !== 'city');
      const name = random.pick(names);
      const { type } = random.table.schema.fields.find((field) => field.name === name)!;
      if (type.kind === 'int') return s.updateColumn(name, t.long());
      return random.runtime.random() < 0.5 ? s.renameColumn(name, random.newColumn()) : s.deleteColumn(name);
    }),
  changeSpec: (random) =>
    random.table.updateSpec((p) =>
      random.table.spec.fields.some(({ name }) => name === 'id_bucket')
        ? p.remove('id_bucket')
        : p.add(partitionBy.bucket(2, 'id')),
    ),
  upgrade: (random) => random.table.upgradeFormatVersion(random.table.formatVersion === 1 ? 2 : 3),
};

const RARE: readonly ChangeKind[] = ['addColumn', 'changeColumns', 'changeSpec', 'upgrade'];
const OFTEN: readonly ChangeKind[] = ['append', 'streamingUpsert', 'delete', 'update', 'rewrite'];
const EVERY = Object.keys(CHANGES) as readonly ChangeKind[];

/** Those that only touch rows and files. */
export const OF_ROWS: readonly ChangeKind[] = EVERY.filter((name) => !RARE.includes(name));
const ALL: readonly ChangeKind[] = [...EVERY, ...OF_ROWS, ...OFTEN];
