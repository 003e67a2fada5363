import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { MappedFileIO, Table } from '@lh/core';
import type { FileIO } from '@lh/core';
import { parseJson } from '@lh/core/engine';
import type { JsonObject } from '@lh/core/engine';
import { LocalFileIO } from '@lh/io-fs';

import type { FilterJson } from './filters.ts';

/** Where every absolute path inside the fixtures' metadata begins. */
export const FIXTURE_ROOT = 's3://lh-fixtures/wh/';

/** The folder of fixtures: another one of the same form may be named by LH_FIXTURES. */
export const fixturesFolder: string = resolve(
  process.env['LH_FIXTURES'] || fileURLToPath(new URL('../../fixtures', import.meta.url)),
);

/** What to expect of a table; `fixtures/README.md` explains every field. */
export interface ExpectedTable {
  readonly table: string;
  readonly metadata: string;
  readonly formatVersion: number;
  readonly currentSnapshotId: string | null;
  readonly refs: Readonly<Record<string, { readonly type: string; readonly snapshotId: string }>>;
  readonly snapshots: readonly ExpectedSnapshot[];
  readonly reads: readonly ExpectedRead[];
  readonly plans: readonly ExpectedPlan[];
  readonly liveFiles: readonly ExpectedFile[];
  readonly exact: ExactExpectations;
}

export interface ExpectedSnapshot {
  readonly snapshotId: string;
  readonly parentId?: string;
  readonly sequenceNumber: number;
  readonly timestampMs: number;
  readonly operation?: string;
  readonly schemaId?: number;
  readonly firstRowId?: number;
  readonly addedRows?: number;
}

export interface ExpectedRead {
  readonly name: string;
  readonly ref?: string | null;
  readonly snapshotId?: string | null;
  readonly asOf?: number | null;
  readonly asOfSnapshotId?: string | null;
  readonly columns?: readonly string[] | null;
  readonly filter?: FilterJson | null;
  readonly rowsFile: string;
  readonly rowCount: number;
  readonly readBy?: string;
}

export interface ExpectedPlan {
  readonly filter: FilterJson;
  /** The filter as Iceberg Java writes it. */
  readonly iceberg: unknown;
  readonly sql?: string;
  readonly snapshotId?: string | null;
  /** SQL's answer; not every plan has one. */
  readonly matchingRowCount?: number | null;
  readonly files: readonly { readonly path: string; readonly deletes: readonly ExpectedDelete[] }[];
}

export interface ExpectedDelete {
  readonly path: string;
  readonly content: 'position' | 'equality' | 'dv';
  readonly offset?: number;
  readonly size?: number;
}

/** What holds numbers of 64 bits that are values, as exact JSON. */
interface ExactExpectations {
  readonly schema: JsonObject;
  readonly reads: readonly { readonly schema?: JsonObject }[];
  readonly liveFiles: readonly JsonObject[];
}

type ByFieldId<T> = Readonly<Record<string, T>>;

/** A live manifest entry, as Iceberg Java reads it. What is left out is null. */
export interface ExpectedFile {
  readonly path: string;
  /** 0 data, 1 position deletes, 2 equality deletes. */
  readonly content: 0 | 1 | 2;
  readonly format: string;
  readonly recordCount: number;
  readonly fileSizeInBytes: number;
  readonly specId: number;
  readonly partition: readonly unknown[];
  readonly partitionPath: string;
  readonly dataSequenceNumber: number;
  readonly fileSequenceNumber: number;
  readonly manifest: string;
  readonly columnSizes?: ByFieldId<number>;
  readonly valueCounts?: ByFieldId<number>;
  readonly nullValueCounts?: ByFieldId<number>;
  readonly nanValueCounts?: ByFieldId<number>;
  readonly lowerBounds?: ByFieldId<string>;
  readonly upperBounds?: ByFieldId<string>;
  readonly splitOffsets?: readonly number[];
  readonly sortOrderId?: number;
  readonly equalityIds?: readonly number[];
  readonly firstRowId?: number;
  readonly referencedDataFile?: string;
  readonly contentOffset?: number;
  readonly contentSizeInBytes?: number;
}

/** A table with something broken in it. */
export interface CorruptCase {
  readonly case: string;
  readonly base: string;
  readonly metadata: string;
  readonly broken: string;
  /** The outcome, in words. */
  readonly expect: string;
  readonly removed?: readonly string[];
  readonly rowsFile?: string;
}

let tables: readonly ExpectedTable[] | undefined;

/** Every table that has expectations. */
export function expectedTables(): readonly ExpectedTable[] {
  return (tables ??= readExpectations(join(fixturesFolder, 'expected')));
}

export function expectedTable(name: string): ExpectedTable {
  const found = expectedTables().find(({ table }) => table === name);
  if (!found) throw new Error(`There is no table ${name} among the fixtures.`);
  return found;
}

function readExpectations(folder: string): readonly ExpectedTable[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      return { ...(JSON.parse(text) as ExpectedTable), exact: parseJson(text) as unknown as ExactExpectations };
    });
}

export function corruptCases(): CorruptCase[] {
  const file = join(fixturesFolder, 'corrupt', 'cases.jsonl');
  return existsSync(file) ? lines(file).map((line) => JSON.parse(line) as CorruptCase) : [];
}

/** Lines of expected rows; the path is relative to the folder of fixtures. */
export function expectedRows(file: string): string[] {
  return lines(join(fixturesFolder, file));
}

/** A bare file is one line per row; the last one ends with a line break, too. */
function lines(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1);
}

export function loadFixture(expected: ExpectedTable): Promise<Table> {
  if (!existsSync(join(fixturesFolder, expected.metadata))) throw new Error(`${expected.metadata} is missing`);
  return Table.load(expected.metadata.replace(/^warehouse\//, FIXTURE_ROOT), { io: fixtureIO() });
}

let makeIO = (): FileIO =>
  new MappedFileIO(new LocalFileIO(), { [FIXTURE_ROOT]: `${join(fixturesFolder, 'warehouse')}/` });

/** Where the fixtures' files are: in the repository, under the names that their metadata has. */
export function fixtureIO(): FileIO {
  return makeIO();
}

/** From now on the fixtures are somewhere else. */
export function setFixtureIO(make: () => FileIO): void {
  makeIO = make;
}

/** The location of a broken table's metadata, and the files as its case has them: the changed ones over the good ones. */
export function corruptFixture({ case: name, base, metadata, removed = [] }: CorruptCase): {
  readonly location: string;
  readonly io: FileIO;
} {
  const folder = join(fixturesFolder, 'corrupt', name);
  const changed = existsSync(folder) ? filesBelow(folder, '') : [];
  const io = new MappedFileIO(new LocalFileIO(), {
    [FIXTURE_ROOT]: `${join(fixturesFolder, 'warehouse')}/`,
    ...Object.fromEntries(changed.map((path) => [FIXTURE_ROOT + path, join(folder, path)])),
    ...Object.fromEntries(removed.map((path) => [FIXTURE_ROOT + path, join(folder, '(removed)', path)])),
  });
  return { location: FIXTURE_ROOT + metadata.slice(metadata.indexOf(`/${base}/`) + 1), io };
}

function filesBelow(folder: string, prefix: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path, `${prefix}${name}/`) : [`${prefix}${name}`];
  });
}
