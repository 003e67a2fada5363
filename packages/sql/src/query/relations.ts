import type { QueryRows } from '../feed/query-rows.ts';
import type { FileAccess, ScanFiles } from '../remote/scan-files.ts';
import type { PlannedMention } from './plan-mention.ts';

/** What the reads of one query share. */
export interface SharedByReads {
  readonly rows: QueryRows;
  /** One for each table; null for what has no files of rows. */
  readonly remote: readonly (ScanFiles | null)[];
  readonly variantBytes: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Makes the query that stands for the table at a place. */
export type MakeRelation = (planned: PlannedMention, shared: SharedByReads, place: number) => Promise<string>;

/** The queries that stand for the tables of one query, each made once. */
export class Relations {
  readonly #make: MakeRelation;
  readonly #shared: SharedByReads;
  readonly #made = new Map<number, Promise<string>>();

  constructor(shared: SharedByReads, make: MakeRelation) {
    this.#shared = shared;
    this.#make = make;
  }

  isMade(place: number): boolean {
    return this.#made.has(place);
  }

  of(planned: PlannedMention, place: number): Promise<string> {
    const made = this.#made.get(place) ?? this.#make(planned, this.#shared, place);
    this.#made.set(place, made);
    return made;
  }

  /** Waits for all, so that if one fails `dispose` finds whatever the others have made. */
  async all(planned: readonly PlannedMention[]): Promise<readonly string[]> {
    const made = planned.map((one, place) => this.of(one, place));
    await Promise.allSettled(made);
    return Promise.all(made);
  }

  access(place: number): FileAccess | undefined {
    return this.#shared.remote[place]?.access;
  }

  dispose(): void {
    this.#shared.rows.dispose();
    for (const files of this.#shared.remote) files?.release();
  }
}
