import type { FollowPosition } from '../../src/changes/follow-position.ts';
import { isLakehouseError } from '../../src/errors.ts';
import { readManifestList } from '../../src/manifest/read-manifest-list.ts';
import { ancestorsOf, isAncestorOf } from '../../src/spec/metadata-accessors.ts';
import { SIGN, addTo, rowText, stateOf } from './multiset.ts';
import type { Multiset } from './multiset.ts';
import { OF_ROWS, entriesOf } from './random-table.ts';
import type { RandomTable } from './random-table.ts';

/** What a consumer has saved, in one step: the rows, and how far they are. */
interface Saved {
  readonly rows: ReadonlyMap<string, number>;
  readonly position: string;
}

/** A table with writers, one who compacts, rolls back and expires, and a consumer that is killed time and again. */
export class FollowSimulation {
  readonly #random: RandomTable;
  readonly #changes: number;
  #writing = 3;
  #saved: Saved = { rows: new Map(), position: 'null' };
  /** Snapshots that are done with and not undone: each must be one only once. */
  readonly #done = new Set<bigint>();
  readonly #end = new AbortController();
  kills = 0;
  rollbacks = 0;
  expired = 0;

  constructor(random: RandomTable, changes: number) {
    this.#random = random;
    this.#changes = changes;
  }

  /** What the consumer has in the end, and what the table has. */
  async run(): Promise<{ readonly followed: Multiset; readonly read: Multiset }> {
    const { runtime, table } = this.#random;
    this.#random.isSlow = true;
    const outcomes = await runtime.run([
      this.#task(() => this.#write()),
      this.#task(() => this.#write()),
      this.#task(() => this.#maintain()),
      this.#task(() => this.#expireTimeAndAgain()),
      this.#task(() => this.#consume()),
      this.#task(() => this.#watch()),
    ]);
    this.#random.isSlow = false;
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    await table.refresh();
    return { followed: this.#saved.rows, read: await stateOf(table, table.currentSnapshot(), table.schema) };
  }

  /** A failure ends it for all. */
  #task(run: () => Promise<void>): () => Promise<void> {
    return () =>
      run().catch((error: unknown) => {
        this.#end.abort();
        throw error;
      });
  }

  async #write(): Promise<void> {
    const { runtime } = this.#random;
    for (let i = 0; i < this.#changes && !this.#end.signal.aborted; i++) {
      await runtime.sleep(runtime.randomInteger(100));
      await this.#random.change(undefined, KINDS_OF_CHANGE);
    }
    this.#writing--;
  }

  async #maintain(): Promise<void> {
    const { runtime } = this.#random;
    for (let i = 0; i < this.#changes / 2 && !this.#end.signal.aborted; i++) {
      await runtime.sleep(runtime.randomInteger(200));
      if (runtime.random() < 0.6) await this.#random.change(undefined, ['rewrite']);
      else await this.#rollBack();
    }
    this.#writing--;
  }

  async #rollBack(): Promise<void> {
    const table = await this.#random.handle();
    const [, ...ancestors] = ancestorsOf(table.metadata, table.metadata.currentSnapshotId);
    if (ancestors.length === 0) return;
    const { snapshotId } = this.#random.pick(ancestors.slice(0, 3));
    try {
      await table.rollbackTo(snapshotId);
      this.rollbacks++;
    } catch (error) {
      // It was expired since the handle was loaded.
      if (!isLakehouseError(error, 'NOT_FOUND')) throw error;
    }
  }

  async #expireTimeAndAgain(): Promise<void> {
    const { runtime } = this.#random;
    while (!this.#end.signal.aborted) {
      await runtime.sleep(runtime.randomInteger(300));
      await this.#expire();
    }
  }

  /** Forgets what the consumer is past, and deletes the files that nothing else needs. */
  async #expire(): Promise<void> {
    const { io } = this.#random;
    const operations = this.#random.operations();
    const base = await operations.load();
    const { metadata } = base;
    const { snapshotId } = (JSON.parse(this.#saved.position) as FollowPosition | null) ?? { snapshotId: null };
    // As long as a rollback is to be undone, what leads back is needed.
    if (snapshotId === null || !isAncestorOf(metadata, metadata.currentSnapshotId!, BigInt(snapshotId))) return;
    const [, ...past] = ancestorsOf(metadata, BigInt(snapshotId));
    const snapshotIds = past.map((one) => one.snapshotId);
    if (snapshotIds.length === 0) return;
    const before = await this.#files(metadata);
    const head = { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: metadata.currentSnapshotId } as const;
    const removal = [{ action: 'remove-snapshots', snapshotIds }] as const;
    const committed = await operations.commit(base, [head], removal).catch((error: unknown) => {
      if (isLakehouseError(error, 'COMMIT_CONFLICT')) return null;
      throw error;
    });
    if (committed === null) return;
    const { metadata: after } = committed;
    const needed = await this.#files(after);
    await io.delete([...before].filter((file) => !needed.has(file)));
    this.expired += snapshotIds.length;
  }

  async #files(metadata: RandomTable['table']['metadata']): Promise<ReadonlySet<string>> {
    const files = new Set<string>();
    for (const snapshot of metadata.snapshots) {
      files.add(snapshot.manifestList!);
      for (const { path } of await readManifestList(this.#random.io, snapshot, metadata)) files.add(path);
      for (const { file } of await entriesOf(this.#random, metadata, snapshot)) files.add(file.path);
    }
    return files;
  }

  /** Starts again from what was saved whenever it is killed. */
  async #consume(): Promise<void> {
    while (!this.#end.signal.aborted) {
      await this.#follow().catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
        this.kills++;
      });
    }
  }

  /** Ends it when all that was written is there. */
  async #watch(): Promise<void> {
    while (!(await this.#isThere()) && !this.#end.signal.aborted) await this.#random.runtime.sleep(150);
    this.#end.abort();
  }

  async #isThere(): Promise<boolean> {
    if (this.#writing > 0) return false;
    const { metadata } = await this.#random.operations().load();
    const reached = (JSON.parse(this.#saved.position) as FollowPosition | null)?.snapshotId ?? null;
    if (reached === String(metadata.currentSnapshotId)) return true;
    // Snapshots that only replaced files are no steps.
    const chain = [...ancestorsOf(metadata, metadata.currentSnapshotId)];
    const at = chain.findIndex((one) => String(one.snapshotId) === reached);
    return at >= 0 && chain.slice(0, at).every((one) => one.operation === 'replace');
  }

  async #follow(): Promise<void> {
    const { runtime } = this.#random;
    const table = await this.#random.handle();
    const after = JSON.parse(this.#saved.position) as FollowPosition | null;
    for await (const step of table.follow({ after, intervalMs: 60, signal: this.#end.signal })) {
      const rows = new Map(this.#saved.rows);
      for await (const row of step.changes.rows()) {
        this.#mayDie(0.1);
        addTo(rows, rowText(row), SIGN[row._change_type]!);
        if ((rows.get(rowText(row)) ?? 0) < 0) throw new Error(`There was no such row to delete: ${rowText(row)}`);
      }
      await runtime.sleep(runtime.randomInteger(30));
      this.#mayDie(0.3);
      this.#saved = { rows, position: JSON.stringify(step.position) };
      this.#mark(
        step.kind,
        step.changes.snapshots.map(({ snapshotId }) => snapshotId),
      );
      this.#mayDie(0.3);
    }
  }

  #mark(kind: string, snapshotIds: readonly bigint[]): void {
    for (const id of snapshotIds) {
      if (this.#done.has(id) !== (kind === 'rollback'))
        throw new Error(`Snapshot ${id} came twice, or was undone twice.`);
      if (kind === 'rollback') this.#done.delete(id);
      else this.#done.add(id);
    }
  }

  #mayDie(odds: number): void {
    if (this.#random.runtime.random() < odds) throw new Killed();
  }
}

/**
 * Files that were dropped may be deleted, so that they can't come back; and no commit of a compaction checks that a
 * delete that it applied is still there, as nobody else takes deletes back.
 */
const KINDS_OF_CHANGE = OF_ROWS.filter((kind) => kind !== 'restoreFile' && kind !== 'forgetDelete');

class Killed extends Error {}
