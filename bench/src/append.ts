// Append of six million rows like TPC-H's lineitem, beside DuckDB's own COPY of the same rows in the same process: as
// one query, out of Arrow tables in memory with DuckDB's writer plugged in, and with core alone. Every side writes zstd
// with row groups of so many rows, and none writes bloom filters; ours are synced to disk and committed as well.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, type PartitionFieldInput, type Table, partitionBy } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { Lakehouse } from '@lh/sql';

import { LINEITEM, ROWS, lineitem } from './_lineitem.ts';
import { sqlText } from './flights.ts';
import { type Contender, bench } from './harness.ts';

const COPY_SETTINGS = 'FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, WRITE_BLOOM_FILTER false';
const MONTH = '(year(l_shipdate) - 1970) * 12 + month(l_shipdate) - 1';

const folder = await mkdtemp(join(tmpdir(), 'lakehouse-bench-'));
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse: join(folder, 'warehouse') });
await catalog.createNamespace('bench');
const lake = await Lakehouse.open({ catalog });
await lake.sql(`CREATE TEMP TABLE lineitem AS ${lineitem(0, ROWS)}`);
const arrow = await (await lake.sql('SELECT * FROM lineitem')).arrow();

let target = 0;

function copy(name: string, select: string, settings: string): Contender {
  return {
    name,
    prepare: clear,
    run: () => lake.connection.run(`COPY (${select}) TO ${sqlText(join(folder, `copy-${target}`))} (${settings})`),
  };
}

/** The files of one run make room for those of the next. */
async function clear(): Promise<void> {
  await rm(join(folder, `copy-${target}`), { recursive: true, force: true });
  if (target > 0) await catalog.dropTable(`bench.lineitem_${target}`, { purge: true }).catch(() => undefined);
  target++;
}

function append(
  name: string,
  by: readonly PartitionFieldInput[],
  write: (table: Table) => Promise<unknown>,
): Contender {
  let fresh: Table;
  return {
    name,
    prepare: async () => {
      await clear();
      const created = await catalog.createTable(`bench.lineitem_${target}`, { schema: LINEITEM, partitionBy: by });
      fresh = created as unknown as Table;
    },
    run: () => write(fresh),
  };
}

function contenders(copied: Contender, by: readonly PartitionFieldInput[]): readonly [Contender, ...Contender[]] {
  return [
    copied,
    append('append of a query', by, (table) => table.append(lake.query('SELECT * FROM lineitem'))),
    append('append of Arrow, DuckDB writes', by, (table) => table.withWriter(lake.writer).append(arrow)),
    append('append of Arrow, core alone', by, (table) => table.append(arrow)),
  ];
}

const work = { count: ROWS, unit: 'rows' };

await bench({
  name: 'append',
  title: 'Append 6,000,000 rows of lineitem, zstd Parquet, one commit',
  work,
  contenders: contenders(copy('DuckDB COPY', 'SELECT * FROM lineitem', COPY_SETTINGS), []),
  rounds: 3,
});

await bench({
  name: 'append-partitioned',
  title: 'The same by month of l_shipdate, 84 partitions',
  work,
  contenders: contenders(
    copy('DuckDB COPY', `SELECT *, ${MONTH} AS m FROM lineitem`, `${COPY_SETTINGS}, PARTITION_BY (m)`),
    [partitionBy.month('l_shipdate')],
  ),
  rounds: 3,
});

await lake.close();
await rm(folder, { recursive: true, force: true });
