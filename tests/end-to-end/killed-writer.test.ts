import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { FileSystemCatalog, type FormatVersion, Table, schema, t } from '@lh/core';
import { SeededRuntime } from '@lh/core/testing';
import { LocalFileIO } from '@lh/io-fs';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { seed } from '../support/seed.ts';
import { type Operation, WriterProcess } from './writer-process.ts';

const KILLS = 100;
const VERSIONS = [2, 3] as const;
/** More than a writer gets done. */
const OPERATIONS_A_LIFE = 8;
const SEED = seed(1);

const io = new LocalFileIO();
let warehouse: string;

beforeEach(async () => {
  warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-kill-'));
});

afterEach(() => rm(warehouse, { recursive: true, force: true, maxRetries: 20 }));

test(`writers are killed ${KILLS} times, seed ${SEED}`, { timeout: 900_000 }, async () => {
  const catalog = await FileSystemCatalog.open({ io, warehouse });
  await catalog.createNamespace('kill');
  const lives = await Promise.all(
    VERSIONS.map(async (formatVersion) =>
      writeAndDie(await createSubject(catalog, formatVersion), KILLS / VERSIONS.length),
    ),
  );
  console.table(Object.fromEntries(lives.map((life, i) => [`v${VERSIONS[i]}`, life])));
});

interface Lives {
  readonly kills: number;
  readonly acknowledged: number;
  readonly madeButNotAcknowledged: number;
  readonly orphans: number;
  readonly seconds: number;
}

/** Writers of a table, one after the other, each killed at some moment. */
async function writeAndDie(subject: Subject, kills: number): Promise<Lives> {
  const { random } = subject;
  const startedMs = performance.now();
  const sum = { acknowledged: 0, madeButNotAcknowledged: 0, writingMs: 0 };
  for (let kill = 0; kill < kills; kill++) {
    const writer = new WriterProcess(subject.location);
    await writer.ready();
    const plan = planLife(subject);
    const sentMs = performance.now();
    writer.send(plan.map(({ operation }) => operation));
    await writer.done(random.randomInteger(3));
    await sleep(random.random() * 2 * (sum.writingMs / Math.max(1, sum.acknowledged)));
    await writer.kill();
    sum.writingMs += performance.now() - sentMs;

    const inFlight = await checkSurvivor(subject, plan, writer.acknowledged);
    sum.acknowledged += writer.acknowledged;
    sum.madeButNotAcknowledged += inFlight;
    for (const { operation, after } of plan.slice(0, writer.acknowledged + inFlight)) {
      subject.state = after;
      if (isDataOperation(operation)) subject.history.push(after.rows);
    }
  }
  const orphans = await removeOrphans(subject);
  expect(orphans, 'a kill in the middle of a write').toBeGreaterThan(0);
  const { acknowledged, madeButNotAcknowledged } = sum;
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  return { kills, acknowledged, madeButNotAcknowledged, orphans, seconds };
}

/** All that can be seen of a table. */
interface State {
  /** By id. */
  readonly rows: readonly Row[];
  readonly columns: readonly string[];
  readonly tags: readonly string[];
  readonly property: string | null;
}

interface Row {
  readonly id: number;
  readonly n: number;
}

interface Planned {
  readonly operation: Operation;
  readonly after: State;
}

/** A table, and what must be in it. */
interface Subject {
  readonly location: string;
  readonly random: SeededRuntime;
  /** How many operations have been planned. */
  operations: number;
  state: State;
  /** The rows after each operation that made a snapshot. */
  readonly history: (readonly Row[])[];
  /** The snapshots whose files are known, which never change. */
  readonly read: Set<bigint>;
  readonly files: Set<string>;
}

async function createSubject(catalog: FileSystemCatalog, formatVersion: FormatVersion): Promise<Subject> {
  const { location } = await catalog.createTable(`kill.v${formatVersion}`, {
    schema: schema({ id: t.int().required(), n: t.int().required() }, { identifier: ['id'] }),
    formatVersion,
    properties: { 'commit.manifest.min-count-to-merge': '5' },
  });
  const state = { rows: [], columns: ['id', 'n'], tags: [], property: null };
  const random = new SeededRuntime(SEED + formatVersion);
  return { location, random, operations: 0, state, history: [], read: new Set(), files: new Set() };
}

/** Operations, each with the state that it leads to, which is never the one before. */
function planLife(subject: Subject): readonly Planned[] {
  const plan: Planned[] = [];
  for (let { state } = subject; plan.length < OPERATIONS_A_LIFE; state = plan.at(-1)!.after) {
    plan.push(planOperation(state, ++subject.operations, subject.random));
  }
  return plan;
}

function planOperation(state: State, number: number, random: SeededRuntime): Planned {
  const newRows = [0, 1, 2].map((i) => ({ id: number * 10 + i, n: number }));
  const someRows = state.rows.filter(() => random.random() < 6 / state.rows.length);
  const upserted = [...someRows.map(({ id }) => ({ id, n: number })), newRows[0]!];
  const mode = random.randomInteger(2) === 0 ? 'copy-on-write' : 'merge-on-read';
  const name = `x${number}`;
  const choices: readonly (() => Planned)[] = [
    () => ({ operation: { kind: 'append', rows: newRows }, after: withRows(state, newRows) }),
    () => ({ operation: { kind: 'upsert', rows: upserted, mode }, after: withRows(state, upserted) }),
    () => {
      const ids = someRows.map(({ id }) => id);
      if (ids.length === 0) return choices[0]!();
      const rows = state.rows.filter(({ id }) => !ids.includes(id));
      return { operation: { kind: 'delete', filter: `id IN (${ids.join(', ')})`, mode }, after: { ...state, rows } };
    },
    () => ({ operation: { kind: 'setProperty', key: 'x', value: name }, after: { ...state, property: name } }),
    () => ({ operation: { kind: 'addColumn', name }, after: { ...state, columns: [...state.columns, name] } }),
    () =>
      state.rows.length === 0
        ? choices[0]!()
        : { operation: { kind: 'createTag', name }, after: { ...state, tags: [...state.tags, name] } },
  ];
  // Upserts, in their two modes, come twice as often.
  return choices[[0, 1, 1, 2, 3, 4, 5][random.randomInteger(7)]!]!();
}

function isDataOperation({ kind }: Operation): boolean {
  return kind === 'append' || kind === 'upsert' || kind === 'delete';
}

function withRows(state: State, changed: readonly Row[]): State {
  const rows = new Map([...state.rows, ...changed].map((row) => [row.id, row]));
  return { ...state, rows: sorted([...rows.values()]) };
}

function sorted(rows: readonly Row[]): readonly Row[] {
  return rows.toSorted((a, b) => a.id - b.id);
}

/**
 * After a kill: the table opens, has all files of all its snapshots, and is as the acknowledged operations have left
 * it, or as one more has. Returns how many more.
 */
async function checkSurvivor(subject: Subject, plan: readonly Planned[], acknowledged: number): Promise<0 | 1> {
  const table = await Table.load(subject.location, { io });
  const there = await filesIn(subject.location);
  expect([...(await reachableFiles(subject, table))].filter((file) => !there.has(file))).toEqual([]);
  const state = await stateOf(table);
  if (isDeepStrictEqual(state, plan[acknowledged]?.after)) return 1;
  expect(state).toEqual(acknowledged === 0 ? subject.state : plan[acknowledged - 1]!.after);
  return 0;
}

async function stateOf(table: Table): Promise<State> {
  return {
    rows: await rowsOf(table),
    columns: table.schema.fields.map(({ name }) => name),
    tags: Object.entries(table.refs()).flatMap(([name, { type }]) => (type === 'tag' ? [name] : [])),
    property: table.properties['x'] ?? null,
  };
}

async function rowsOf(table: Table, snapshotId?: bigint): Promise<readonly Row[]> {
  return sorted((await table.scan({ select: ['id', 'n'], snapshotId }).toRows()) as unknown as Row[]);
}

/** Manifest lists, manifests, data and delete files of every snapshot. */
async function reachableFiles({ read, files }: Subject, table: Table): Promise<ReadonlySet<string>> {
  for (const { snapshotId, manifestList } of table.snapshots()) {
    if (read.has(snapshotId)) continue;
    const manifests = await table.inspect('manifests', { snapshotId, select: ['path'] });
    const live = await table.inspect('files', { snapshotId, select: ['file_path'] });
    for (const column of [manifests.getChild('path'), live.getChild('file_path')]) {
      for (const path of column!) files.add(path as string);
    }
    files.add(manifestList!);
    read.add(snapshotId);
  }
  return files;
}

async function filesIn(location: string): Promise<Set<string>> {
  const entries = await readdir(location, { recursive: true, withFileTypes: true });
  return new Set(entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)));
}

/** What the kills have left goes, and nothing else: every state that the table ever had is still there. */
async function removeOrphans(subject: Subject): Promise<number> {
  const table = await Table.load(subject.location, { io });
  const before = await filesIn(subject.location);
  const report = await table.removeOrphanFiles({ olderThan: Date.now() + 60_000 });
  expect(report.failed).toEqual([]);

  const versions = [...before].filter((path) => /\/metadata\/(?:v\d+\.metadata\.json|version-hint\.text)$/.test(path));
  const reachable = new Set([...versions, ...(await reachableFiles(subject, table))]);
  expect(await filesIn(subject.location)).toEqual(reachable);

  expect(await stateOf(await Table.load(subject.location, { io }))).toEqual(subject.state);
  const snapshots = table.snapshots();
  expect(snapshots).toHaveLength(subject.history.length);
  for (let i = 0; i < snapshots.length; i += 10) {
    expect(await rowsOf(table, snapshots[i]!.snapshotId)).toEqual(subject.history[i]);
  }
  return before.size - reachable.size;
}
