// Many small files become few, with and without DuckDB, and six million rows are sorted, beside DuckDB's plain COPY of the
// same files and Spark's rewrite_data_files. Each run finds the table as the others did. BENCH_SCALE makes it smaller.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog } from '@lh/core';
import type { RewriteDataFilesOptions, Table } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { Lakehouse } from '@lh/sql';

import { LINEITEM, lineitem } from './_lineitem.ts';
import { spark } from './_peers.ts';
import { type Contender, bench } from './harness.ts';

const SCALE = Number(process.env['BENCH_SCALE'] ?? 1);
const TARGET_BYTES = 128 * 2 ** 20;
const MEMORY_LIMIT = '2GB';

interface Source {
  readonly name: string;
  readonly files: number;
  readonly rows: number;
}

const scaled = (count: number): number => Math.max(5, Math.round(count * SCALE));
const SMALL: Source = { name: 'small', files: scaled(1000), rows: scaled(1000) * 2200 };
const MEDIUM: Source = { name: 'medium', files: scaled(100), rows: scaled(100) * 180_000 };
const SORTED: Source = { name: 'sorted', files: scaled(16), rows: scaled(16) * 375_000 };

const warehouse = mkdtempSync(join(tmpdir(), 'lakehouse-bench-'));
mkdirSync(join(warehouse, 'source'));
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
await catalog.createNamespace('bench');
const lake = await Lakehouse.open({ catalog, memoryLimit: MEMORY_LIMIT });
await lake.connection.run('SET GLOBAL preserve_insertion_order = false');
const peer = spark();

/** A table of files that are there; DuckDB wrote them as it would, in one go. */
async function tableOf({ name, files, rows }: Source): Promise<Table> {
  const folder = join(warehouse, 'source', name);
  const part = `SELECT *, (row_number() OVER ()) % ${files} AS part FROM (${lineitem(0, rows)})`;
  const ids = LINEITEM.fields.map((field) => `"${field.name}": ${field.id}`).join(', ');
  const settings = `FORMAT parquet, COMPRESSION zstd, PARTITION_BY (part), FIELD_IDS {${ids}}`;
  const columns = LINEITEM.fields.map((field) => field.name).join(', ');
  await lake.connection.run(
    `COPY (SELECT ${columns}, part FROM (${part}) ORDER BY part) TO '${folder}' (${settings}, OVERWRITE true)`,
  );
  const properties = { 'write.target-file-size-bytes': String(TARGET_BYTES) };
  const table = await catalog.createTable(`bench.${name}`, { schema: LINEITEM, properties });
  await table.addFiles(readdirSync(folder).map((one) => join(folder, one, readdirSync(join(folder, one))[0]!)));
  return table as unknown as Table;
}

function ours(name: string, table: Table, options: RewriteDataFilesOptions): Contender {
  const { snapshotId } = table.currentSnapshot()!;
  return {
    name,
    prepare: async () => {
      await (await table.refresh()).rollbackTo(snapshotId);
      rmSync(join(warehouse, 'bench', table.name.split('.').at(-1)!, 'data'), { recursive: true, force: true });
    },
    run: async () => {
      const { groups } = await table.rewriteDataFiles(options);
      if (groups.some(({ status }) => status !== 'rewritten')) throw new Error('Not everything was rewritten.');
    },
  };
}

/** DuckDB reads and writes the same files by itself. */
function raw(name: string, source: Source, order: string): Contender {
  const out = join(warehouse, 'raw');
  const settings = `FORMAT parquet, COMPRESSION zstd, FILE_SIZE_BYTES ${TARGET_BYTES}, RETURN_STATS`;
  const from = `read_parquet('${join(warehouse, 'source', source.name)}/*/*.parquet', hive_partitioning = false)`;
  return {
    name,
    prepare: () => rmSync(out, { recursive: true, force: true }),
    run: async () => {
      await lake.connection.run(`COPY (SELECT * FROM ${from} ${order}) TO '${out}' (${settings})`);
    },
  };
}

function theirs({ files, rows }: Source, job: string): readonly Contender[] {
  if (peer === null) return [];
  return [{ name: 'Spark', run: () => peer.ask(`${job} ${rows} ${files}`, files), timesItself: true }];
}

for (const source of [SMALL, MEDIUM]) {
  const table = await tableOf(source);
  const { file } = (await table.scan().plan()).tasks[0]!;
  await bench({
    name: `compaction-${source.name}`,
    title: `${source.files} files of ${Math.round(file.fileSizeInBytes / 1000)} KB become files of 128 MB; ${MEMORY_LIMIT} for DuckDB`,
    work: { count: source.rows, unit: 'rows' },
    contenders: [
      raw('DuckDB, COPY', source, ''),
      ours('rewriteDataFiles, DuckDB', table.withWriter(lake.writer), { rewriteAll: true }),
      ours('rewriteDataFiles, core', table, { rewriteAll: true }),
      ...theirs(source, 'rewrite-binpack'),
    ],
    rounds: 3,
    memory: true,
  });
  await catalog.dropTable(table.name, { purge: true });
}

const table = (await tableOf(SORTED)).withWriter(lake.writer);
await bench({
  name: 'compaction-sorted',
  title: `${SORTED.rows.toLocaleString('en')} rows in order; ${MEMORY_LIMIT} for DuckDB`,
  work: { count: SORTED.rows, unit: 'rows' },
  contenders: [
    raw('DuckDB, COPY … ORDER BY', SORTED, 'ORDER BY l_shipdate, l_orderkey'),
    ours('sort', table, { strategy: 'sort', sortBy: ['l_shipdate', 'l_orderkey'], rewriteAll: true }),
    ours('zorder', table, { strategy: 'zorder', zOrderBy: ['l_shipdate', 'l_partkey'], rewriteAll: true }),
    ...theirs(SORTED, 'rewrite-sort'),
  ],
  rounds: 3,
  memory: true,
});
await peer?.stop();
await lake.close();
rmSync(warehouse, { recursive: true, force: true });
