import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { Catalog } from '../../../src/catalog/catalog.ts';
import type { FileIO } from '../../../src/io/file-io.ts';
import { isDeletionVector } from '../../../src/manifest/content-problem.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import { snapshotForRef } from '../../../src/spec/metadata-accessors.ts';
import type { FormatVersion } from '../../../src/spec/table-metadata.ts';
import { SeededRuntime } from '../../../src/testing/seeded-runtime.ts';
import { FORMAT_VERSIONS, openCatalog, orphans } from '../../table/support.ts';
import { TableValidator } from '../../table/validate-table.ts';
import { content } from './model.ts';
import type { ModelRow, TrackedRow } from './model.ts';
import * as steps from './steps.ts';
import type { ModelTable, Step, StepResult } from './steps.ts';

const SHAPE = schema({ id: t.long().required(), k: t.int(), city: t.string(), x: t.double() }, { identifier: ['id'] });

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: steps.append },
  { weight: 3, arbitrary: steps.remove },
  { weight: 3, arbitrary: steps.update },
  { weight: 3, arbitrary: steps.upsert },
  { weight: 3, arbitrary: steps.merge },
  { weight: 1, arbitrary: steps.overwrite },
  { weight: 1, arbitrary: steps.overwritePartitions },
  { weight: 2, arbitrary: steps.equalityDeletes },
  { weight: 2, arbitrary: steps.positionDeletes },
  { weight: 2, arbitrary: steps.transaction },
  { weight: 1, arbitrary: steps.rewriteFiles },
  { weight: 2, arbitrary: steps.respec },
  { weight: 1, arbitrary: steps.upgrade },
  { weight: 2, arbitrary: steps.evolve },
  { weight: 1, arbitrary: steps.rollback },
  { weight: 1, arbitrary: steps.publish },
);

const step = anyStep.map(steps.named);

const properties = fc.record({
  'write.wap.enabled': fc.constant('true'),
  'write.delete.granularity': fc.constantFrom('file', 'partition'),
  'write.delete.mode': fc.constantFrom('copy-on-write', 'merge-on-read'),
  'write.update.mode': fc.constantFrom('copy-on-write', 'merge-on-read'),
  'write.merge.mode': fc.constantFrom('copy-on-write', 'merge-on-read'),
  'commit.manifest.min-count-to-merge': fc.constantFrom('2', '100'),
});

/** How many steps of each kind this process has made. */
export const stepsMade: Map<string, number> = new Map();

interface Lineage {
  readonly rowId: bigint | null;
  readonly sequenceNumber: bigint | null;
}

interface Found {
  readonly rows: readonly ModelRow[];
  readonly lineage: ReadonlyMap<bigint, Lineage>;
}

async function readAll(table: ModelTable, ref: string): Promise<Found> {
  const select = ['id', 'k', 'city', 'x', '_row_id', '_last_updated_sequence_number'] as const;
  const found = await table.scan({ ref, select }).toRows();
  const lineage = new Map(
    found.map((row): [bigint, Lineage] => [
      row.id,
      { rowId: row._row_id, sequenceNumber: row._last_updated_sequence_number },
    ]),
  );
  return { rows: found.map(({ id, k, city, x }) => ({ id, k, city, x })), lineage };
}

function sorted(rows: readonly ModelRow[]): readonly ModelRow[] {
  return rows.toSorted((a, b) => Number(a.id - b.id));
}

/** Spec: "Row Lineage". Rows from before the upgrade to v3 have none until the first commit after it. */
function checkLineage(
  rows: readonly TrackedRow[],
  before: Found,
  after: Found,
  table: ModelTable,
  nextRowId: bigint,
): void {
  const sequenceNumber = table.metadata.lastSequenceNumber;
  expect(new Set([...after.lineage.values()].map(({ rowId }) => rowId)).size).toBe(rows.length);
  for (const { row, fate } of rows) {
    const [was, is] = [before.lineage.get(row.id), after.lineage.get(row.id)!];
    if (was === undefined || was.rowId === null) {
      expect(is.rowId).toBeGreaterThanOrEqual(was === undefined ? nextRowId : 0n);
      if (fate === 'new') expect(is.sequenceNumber).toBeGreaterThan(0n);
    } else if (fate === 'kept') expect(is, `row ${row.id}`).toEqual(was);
    else if (fate === 'updated') expect(is, `row ${row.id}`).toEqual({ rowId: was.rowId, sequenceNumber });
  }
}

/** Every delete file fits the format version, and no data file has two deletion vectors (planning would fail). */
async function checkDeleteFiles(table: ModelTable, ref: string): Promise<void> {
  for (const { deletes } of (await table.scan({ ref }).plan()).tasks) {
    const positions = deletes.filter(({ file }) => file.content === 'position-deletes');
    if (table.formatVersion === 1) expect(deletes).toEqual([]);
    if (positions.some(({ file }) => isDeletionVector(file))) expect(positions.length).toBe(1);
  }
}

function checkRows(found: readonly ModelRow[], expected: readonly ModelRow[]): void {
  expect(sorted(found)).toEqual(sorted(expected));
}

/** In the middle of a step another may have done what there was to do; files that delete rows twice do no harm. */
function checkChanged({ commit, changes }: StepResult, moved: boolean, wasInterrupted: boolean): void {
  expect(moved).toBe(commit.changed);
  if (!wasInterrupted || changes) expect(commit.changed).toBe(changes);
}

/** Nothing is left behind, and the summaries have counted right all along. */
async function checkEnd(table: ModelTable, ref: string): Promise<void> {
  expect(await orphans(table, table.io)).toEqual([]);
  const summary = snapshotForRef(table.metadata, ref)!.summary;
  const { tasks } = await table.scan({ ref }).plan();
  expect(summary['total-data-files']).toBe(String(tasks.length));
  expect(summary['total-records']).toBe(String(tasks.reduce((sum, { file }) => sum + file.recordCount, 0)));
}

/** Runs something once, before a manifest list is written. */
class Interruption {
  readonly io: FileIO;
  meanwhile: (() => Promise<void>) | null = null;

  constructor(io: FileIO) {
    const write: FileIO['write'] = async (location, ...rest) => {
      const { meanwhile } = this;
      if (meanwhile !== null && location.includes('/snap-')) {
        this.meanwhile = null;
        await meanwhile();
      }
      return io.write(location, ...rest);
    };
    this.io = new Proxy(io, { get: (target, key) => (key === 'write' ? write : bound(target, key as keyof FileIO)) });
  }
}

function bound(io: FileIO, key: keyof FileIO): unknown {
  const member = io[key];
  return typeof member === 'function' ? (member as (...args: unknown[]) => unknown).bind(io) : member;
}

/** An empty warehouse. */
export interface Place {
  readonly io: FileIO;
  readonly warehouse: string;
}

interface Beginning {
  readonly initial: readonly Omit<ModelRow, 'id'>[];
  readonly formatVersion: FormatVersion;
  readonly tableProperties: Readonly<Record<string, string>>;
  readonly branch: string | undefined;
}

class Run {
  readonly #catalog: Catalog;
  readonly #interruption: Interruption;
  readonly #interrupted: Catalog;
  readonly #branch: string | undefined;
  readonly #reader: ModelTable;
  #nextId = 0n;
  #rows: readonly ModelRow[] = [];
  #before: Found = { rows: [], lineage: new Map() };
  readonly #validator = new TableValidator();
  /** What the snapshots should hold. */
  readonly #history = new Map<bigint, readonly ModelRow[]>();

  static async start({ io, warehouse }: Place, beginning: Beginning): Promise<Run> {
    const { initial, formatVersion, tableProperties, branch } = beginning;
    const catalog = await openCatalog('file-system', { io, warehouse });
    const interruption = new Interruption(io);
    const runtime = new SeededRuntime(2);
    const interrupted = await openCatalog('file-system', { io: interruption.io, warehouse, runtime });
    const reader = await catalog.createTable<ModelRow>('db.t', {
      schema: SHAPE,
      formatVersion,
      properties: tableProperties,
    });
    const run = new Run(catalog, interruption, interrupted, reader, branch);
    run.#rows = initial.map((one) => ({ id: run.#nextId++, ...one }));
    await reader.append(run.#rows);
    if (branch !== undefined) await reader.createBranch(branch);
    run.#before = await readAll(reader, run.#ref);
    run.#remember();
    return run;
  }

  constructor(
    catalog: Catalog,
    interruption: Interruption,
    interrupted: Catalog,
    reader: ModelTable,
    branch: string | undefined,
  ) {
    this.#catalog = catalog;
    this.#interruption = interruption;
    this.#interrupted = interrupted;
    this.#reader = reader;
    this.#branch = branch;
  }

  get #ref(): string {
    return this.#branch ?? 'main';
  }

  /** Makes a step. In its middle, when it is about to commit, another writer makes one. */
  async make(one: Step, meanwhile: Step | null): Promise<void> {
    if (meanwhile === null || one.alone) return this.#make(one, this.#catalog);
    const changed = { meanwhile: false };
    this.#interruption.meanwhile = async () => {
      changed.meanwhile = true;
      await this.#make(meanwhile, this.#catalog);
    };
    await this.#make(one, this.#interrupted, changed);
    this.#interruption.meanwhile = null;
  }

  async #make(one: Step, catalog: Catalog, interruption = { meanwhile: false }): Promise<void> {
    const table = (await catalog.loadTable('db.t')) as unknown as ModelTable;
    const current = (): readonly ModelRow[] => this.#rows;
    const result = await one.run({
      table,
      branch: this.#branch,
      history: this.#history,
      newId: () => this.#nextId++,
      get rows() {
        return current();
      },
    });
    const { metadataLocation, metadata } = this.#reader;
    await this.#reader.refresh();
    await this.#validator.validate(this.#reader);
    const kind = /^[a-z]+( a column| by [a-z]+)?/i.exec(one.name)![0];
    stepsMade.set(kind, (stepsMade.get(kind) ?? 0) + 1);
    if (result === null) return;
    const after = await readAll(this.#reader, this.#ref);
    this.#rows = result.rows.map(({ row }) => row);
    checkRows(after.rows, this.#rows);
    checkChanged(result, this.#reader.metadataLocation !== metadataLocation, interruption.meanwhile);
    if (metadata.formatVersion === 3 && result.changes && result.restores !== true)
      checkLineage(result.rows, this.#before, after, this.#reader, metadata.nextRowId);
    await checkDeleteFiles(this.#reader, this.#ref);
    this.#before = after;
    this.#remember();
    await this.#checkHistory();
  }

  #remember(): void {
    const head = snapshotForRef(this.#reader.metadata, this.#ref);
    if (head !== null) this.#history.set(head.snapshotId, this.#rows);
  }

  /** One of the snapshots holds what it held when it was made. */
  async #checkHistory(): Promise<void> {
    const known = [...this.#history];
    const [snapshotId, rows] = known[(7 * known.length) % Math.max(1, known.length - 1)] ?? known[0]!;
    const found = await this.#reader.scan({ snapshotId, select: ['id', 'k', 'city', 'x'] }).toRows();
    checkRows(found, rows);
  }

  finish(): Promise<void> {
    return checkEnd(this.#reader, this.#ref);
  }
}

const beginning: fc.Arbitrary<Beginning> = fc.record({
  initial: fc.array(content, { minLength: 1, maxLength: 12 }),
  formatVersion: fc.constantFrom(...FORMAT_VERSIONS),
  tableProperties: properties,
  branch: fc.constantFrom(undefined, 'audit'),
});

interface Move {
  readonly one: Step;
  readonly meanwhile: Step | null;
}

const conflicting = fc.oneof(step, steps.positionDeletes.map(steps.named), steps.remove.map(steps.named));

const move: fc.Arbitrary<Move> = fc.record({ one: step, meanwhile: fc.option(conflicting, { freq: 3 }) });

/** Sequences of which every other operation writes data files anew, others in its middle. */
export function rewrites(newPlace: () => Promise<Place>): fc.IAsyncProperty<[Beginning, readonly Move[]]> {
  const rewrite = fc.record({
    one: steps.rewriteFiles.map(steps.named),
    meanwhile: fc.option(conflicting, { freq: 5 }),
  });
  const between = fc.record({ one: step, meanwhile: fc.option(steps.rewriteFiles.map(steps.named), { freq: 2 }) });
  const pairs = fc.array(fc.tuple(between, rewrite), { minLength: 1, maxLength: 4 });
  return sequences(
    newPlace,
    pairs.map((some) => some.flat()),
  );
}

/** Any sequence of operations on a table, others in the middle of them, leaves the rows that a model has. */
export function rowOperations(
  newPlace: () => Promise<Place>,
  maxLength = 7,
): fc.IAsyncProperty<[Beginning, readonly Move[]]> {
  return sequences(newPlace, fc.array(move, { minLength: 2, maxLength }));
}

function sequences(
  newPlace: () => Promise<Place>,
  drawn: fc.Arbitrary<readonly Move[]>,
): fc.IAsyncProperty<[Beginning, readonly Move[]]> {
  return fc.asyncProperty(beginning, drawn, async (start, sequence) => {
    const run = await Run.start(await newPlace(), start);
    for (const { one, meanwhile } of sequence) await run.make(one, meanwhile);
    await run.finish();
  });
}
