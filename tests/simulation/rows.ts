/** Rows of the simulated table: a key, which no two rows share, and a number that operations change. */
export interface Row {
  readonly k: number;
  readonly n: number;
}

/** A row in the model. Rows that only change their number stay the same row. */
export interface ModelRow {
  readonly n: number;
  /** What tells the row from all others that there ever were; null if that isn't followed. */
  readonly identity: symbol | null;
  /** The sequence number of the snapshot that changed it last; null if that isn't followed. */
  readonly changedBy: bigint | null;
}

export type ModelRows = ReadonlyMap<number, ModelRow>;

/** What a snapshot does to the rows of its parent. */
export interface Made {
  readonly sequenceNumber: bigint;
  /** Of keys that share a partition with new rows, the width that keys are truncated to; null if they all do. */
  readonly partitionWidth: number | null;
}

export type Effect = (before: ModelRows, made: Made) => ModelRows;

export function inserted(before: ModelRows, rows: readonly Row[], { sequenceNumber }: Made): ModelRows {
  const after = new Map(before);
  for (const { k, n } of rows) after.set(k, { n, identity: Symbol(k), changedBy: sequenceNumber });
  return after;
}

/** Rows whose number stays what it is are left alone. */
export function updated(
  before: ModelRows,
  change: (k: number, n: number) => number,
  { sequenceNumber }: Made,
): ModelRows {
  return new Map(
    [...before].map(([k, row]) => {
      const n = change(k, row.n);
      return [k, n === row.n ? row : { ...row, n, changedBy: sequenceNumber }];
    }),
  );
}

export function without(before: ModelRows, has: (k: number) => boolean): ModelRows {
  return new Map([...before].filter(([k]) => !has(k)));
}

/** Rows that a transaction adds have no row ids yet when it goes on: files that it rewrites may give them new ones. */
export function rewritten(before: ModelRows, rows: readonly Row[]): ModelRows {
  const keys = new Set(rows.map(({ k }) => k));
  return unfollowed(before, (k) => keys.has(k));
}

export function unfollowed(before: ModelRows, has: (k: number) => boolean): ModelRows {
  return new Map([...before].map(([k, row]) => [k, has(k) ? { n: row.n, identity: null, changedBy: null } : row]));
}

/** Rows of known keys get the new numbers, others are added. */
export function upserted(before: ModelRows, rows: readonly Row[], made: Made): ModelRows {
  const numbers = new Map(rows.map(({ k, n }) => [k, n]));
  const missing = rows.filter(({ k }) => !before.has(k));
  return inserted(
    updated(before, (k, n) => numbers.get(k) ?? n, made),
    missing,
    made,
  );
}
