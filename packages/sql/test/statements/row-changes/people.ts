import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { schema, t } from '@lh/core';
import type { FormatVersion, RowLevelMode, Table } from '@lh/core';
import { openWarehouse } from '../../support.ts';

export const { lake, catalog, path } = await openWarehouse();
let next = 0;

export interface Layout {
  readonly formatVersion?: FormatVersion;
  readonly mode?: RowLevelMode;
}

/** A table of six rows in two files. */
export async function people({ formatVersion = 2, mode = 'copy-on-write' }: Layout = {}): Promise<Table> {
  const table = await catalog.createTable(`ns.people${next++}`, {
    schema: schema({
      id: t.long().required(),
      name: t.string(),
      n: t.int(),
      place: t.struct({ city: t.string(), zip: t.int() }),
    }),
    formatVersion,
    properties: { 'write.update.mode': mode, 'write.delete.mode': mode, 'write.merge.mode': mode },
  });
  for (const first of [1, 4]) {
    await table.append(
      [first, first + 1, first + 2].map((id) => ({
        id: BigInt(id),
        name: `n${id}`,
        n: id,
        place: id === 6 ? null : { city: 'Seoul', zip: id },
      })),
    );
  }
  return table;
}

export async function values(sql: string): Promise<readonly (readonly unknown[])[]> {
  return (await (await lake.sql(sql)).rows()).map((row) => Object.values(row));
}

export async function dataFiles(table: Table): Promise<readonly string[]> {
  const files = await readdir(join(path, table.location.slice(path.length), 'data'), { recursive: true });
  return files.toSorted();
}
