import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MappedFileIO, Table } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import type { FilterJson } from './filters.ts';

/** Where every absolute path inside the fixtures' metadata begins. */
export const FIXTURE_ROOT = 's3://lh-fixtures/wh/';

/** The folder of fixtures: a copy of another kind may be named by LH_FIXTURES. */
export const fixturesFolder: string =
  process.env['LH_FIXTURES'] ?? new URL('../../fixtures', import.meta.url).pathname;

export interface ExpectedTable {
  readonly table: string;
  readonly metadata: string;
  readonly formatVersion: number;
  readonly currentSnapshotId: string | null;
  readonly schema: unknown;
  readonly reads: readonly ExpectedRead[];
  readonly plans: readonly ExpectedPlan[];
  readonly liveFiles: readonly ExpectedFile[];
}

export interface ExpectedRead {
  readonly name: string;
  readonly ref: string | null;
  readonly snapshotId: string | null;
  readonly asOf?: number | null;
  readonly columns?: readonly string[];
  readonly filter?: FilterJson;
  readonly schema?: unknown;
  readonly rowsFile: string;
  readonly rowCount: number;
}

export interface ExpectedPlan {
  readonly filter: FilterJson;
  readonly sql: string;
  readonly snapshotId?: string;
  readonly matchingRowCount: number;
  readonly files: readonly { readonly path: string; readonly deletes: readonly ExpectedDelete[] }[];
}

export interface ExpectedDelete {
  readonly path: string;
  readonly content: 'position' | 'equality' | 'dv';
  readonly offset?: number;
  readonly size?: number;
}

export type ExpectedFile = Readonly<Record<string, unknown>> & { readonly path: string };

export function expectedTables(): ExpectedTable[] {
  const folder = join(fixturesFolder, 'expected');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as ExpectedTable);
}

export function expectedRows(file: string): string[] {
  return readFileSync(join(fixturesFolder, file), 'utf8').split('\n').slice(0, -1);
}

export function loadFixture(expected: ExpectedTable): Promise<Table> {
  const io = new MappedFileIO(new LocalFileIO(), { [FIXTURE_ROOT]: `${join(fixturesFolder, 'warehouse')}/` });
  const location = expected.metadata.replace('warehouse/', FIXTURE_ROOT);
  if (!existsSync(join(fixturesFolder, expected.metadata))) throw new Error(`${expected.metadata} is missing`);
  return Table.load(location, { io });
}
