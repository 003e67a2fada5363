import { invalidArgument } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { currentSchema } from '../spec/metadata-accessors.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { ScanSource } from '../table-scan.ts';
import { requireBranchHead } from './branch-head.ts';
import { followStart } from './follow-position.ts';
import type { FollowAfter, FollowPosition, FollowStart } from './follow-position.ts';
import { historySteps } from './history-steps.ts';
import type { HistoryStep, StepKind } from './history-steps.ts';
import { TableChanges } from './table-changes.ts';
import type { ChangeReadOptions } from './table-changes.ts';

/** Aborting `signal` ends the iteration; changes that are being read then fail with ABORTED. */
export interface FollowOptions<Select extends readonly string[] = readonly string[]> extends ChangeReadOptions<Select> {
  /**
   * Where to start: the saved position of an earlier step, or a snapshot's id: after it; null: with the first snapshot's
   * rows; 'now', or left out: with what is committed after this handle's version.
   */
  readonly after?: FollowAfter | undefined;
  /** Main, or the position's, if left out. */
  readonly branch?: string | undefined;
  /**
   * How long to wait before the table is looked at again, in milliseconds: 1000 if left out. A commit of this handle, or
   * its `refresh`, ends the wait; null: nothing else does.
   */
  readonly intervalMs?: number | null | undefined;
}

/** What happened to a branch: mostly one commit. */
export interface FollowStep<Row = Record<string, unknown>> {
  readonly kind: StepKind;
  /** The snapshot that the branch is at after this step. Null after a rollback to the table before its first one. */
  readonly snapshot: Snapshot | null;
  /** Read when they are iterated; in the table's current schema. */
  readonly changes: TableChanges<Row>;
  /** To be saved when the changes are done with, best together with them: then none is missed, and none done twice. */
  readonly position: FollowPosition;
}

/** What following needs of a table's handle. */
export interface FollowHost {
  readonly runtime: Runtime;
  /** Of the handle's version. */
  readonly metadata: TableMetadata;
  /** The newest version; the handle stays where it is. */
  load(): Promise<TableMetadata>;
  source(metadata: TableMetadata): ScanSource;
  /** Tells the listener when the handle moves to another version; the function returned makes it forget. */
  onMove(listener: () => void): () => void;
}

const DEFAULT_INTERVAL_MS = 1000;

/**
 * The changes of a branch as they come: `for await (const step of table.follow(…))`. It ends when its signal is aborted.
 * Iterating it again goes on after the last step that was done with.
 */
export class TableFollower<Row = Record<string, unknown>> implements AsyncIterable<FollowStep<Row>> {
  readonly #host: FollowHost;
  readonly #read: ChangeReadOptions;
  readonly #intervalMs: number | null;
  readonly #branch: string;
  readonly #tableUuid: string;
  #reached: bigint | null;

  /** For `table.follow()`. */
  constructor(host: FollowHost, options: FollowOptions) {
    const { after = 'now', branch, intervalMs = DEFAULT_INTERVAL_MS, ...read } = options;
    if (intervalMs !== null && !(Number.isFinite(intervalMs) && intervalMs >= 0)) {
      throw invalidArgument(`intervalMs must be a number of milliseconds, or null, not ${String(intervalMs)}.`);
    }
    const start: FollowStart = followStart(host.metadata, after, branch);
    this.#host = host;
    this.#read = read;
    this.#intervalMs = intervalMs;
    this.#branch = start.branch;
    this.#reached = start.snapshotId;
    this.#tableUuid = host.metadata.tableUuid;
    // What can't be read is refused at once.
    void this.#changes(host.metadata, []);
  }

  /** What has been done with so far; to be saved as those of the steps. */
  get position(): FollowPosition {
    return this.#positionAt(this.#reached);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FollowStep<Row>, void, undefined> {
    const { signal } = this.#read;
    for (;;) {
      if (signal?.aborted) return;
      const { metadata: seen } = this.#host;
      const metadata = await this.#host.load();
      for (const step of this.#steps(metadata)) {
        if (signal?.aborted) return;
        yield this.#stepOf(metadata, step);
        this.#reached = step.position;
      }
      if (this.#host.metadata === seen) await this.#wait(signal);
    }
  }

  #steps(metadata: TableMetadata): readonly HistoryStep[] {
    const head = requireBranchHead(metadata, this.#branch);
    const steps = historySteps(metadata, this.#reached, head);
    // Nothing but files was replaced: that is not reported, but need not be looked at again.
    if (steps.length === 0) this.#reached = head;
    return steps;
  }

  #stepOf(metadata: TableMetadata, { kind, snapshot, changes, position }: HistoryStep): FollowStep<Row> {
    return { kind, snapshot, changes: this.#changes(metadata, changes), position: this.#positionAt(position) };
  }

  #changes(metadata: TableMetadata, steps: HistoryStep['changes']): TableChanges<Row> {
    return new TableChanges<Row>(this.#host.source(metadata), steps, currentSchema(metadata), this.#read);
  }

  #positionAt(snapshotId: bigint | null): FollowPosition {
    const id = snapshotId === null ? null : String(snapshotId);
    return { tableUuid: this.#tableUuid, branch: this.#branch, snapshotId: id };
  }

  /** Until the interval is over, the handle has moved, or the signal is aborted. */
  async #wait(signal: AbortSignal | undefined): Promise<void> {
    const over = new AbortController();
    const wakers: (() => void)[] = [() => over.abort()];
    const woken = new Promise<void>((resolve) => {
      wakers.push(this.#host.onMove(resolve));
      const aborted = (): void => resolve();
      signal?.addEventListener('abort', aborted, { once: true });
      wakers.push(() => signal?.removeEventListener('abort', aborted));
      if (signal?.aborted) resolve();
    });
    try {
      const slept = this.#intervalMs === null ? [] : [this.#host.runtime.sleep(this.#intervalMs, over.signal)];
      await Promise.race([woken, ...slept]);
    } finally {
      for (const undo of wakers) undo();
    }
  }
}
