import { schema, t } from '@lh/core';
import type { Catalog, Schema, Table } from '@lh/core';
import type { Lakehouse } from '@lh/sql';
import { fetchExtension } from './fetch-extension.ts';

const money = t.decimal(15, 2);

/** The eight tables of the benchmark, with the types that DuckDB's dbgen gives them. */
export const TPCH_TABLES: Readonly<Record<string, Schema>> = {
  region: schema({ r_regionkey: t.int().required(), r_name: t.string(), r_comment: t.string() }),
  nation: schema({
    n_nationkey: t.int().required(),
    n_name: t.string(),
    n_regionkey: t.int(),
    n_comment: t.string(),
  }),
  supplier: schema({
    s_suppkey: t.long().required(),
    s_name: t.string(),
    s_address: t.string(),
    s_nationkey: t.int(),
    s_phone: t.string(),
    s_acctbal: money,
    s_comment: t.string(),
  }),
  customer: schema({
    c_custkey: t.long().required(),
    c_name: t.string(),
    c_address: t.string(),
    c_nationkey: t.int(),
    c_phone: t.string(),
    c_acctbal: money,
    c_mktsegment: t.string(),
    c_comment: t.string(),
  }),
  part: schema({
    p_partkey: t.long().required(),
    p_name: t.string(),
    p_mfgr: t.string(),
    p_brand: t.string(),
    p_type: t.string(),
    p_size: t.int(),
    p_container: t.string(),
    p_retailprice: money,
    p_comment: t.string(),
  }),
  partsupp: schema({
    ps_partkey: t.long().required(),
    ps_suppkey: t.long().required(),
    ps_availqty: t.long(),
    ps_supplycost: money,
    ps_comment: t.string(),
  }),
  orders: schema({
    o_orderkey: t.long().required(),
    o_custkey: t.long(),
    o_orderstatus: t.string(),
    o_totalprice: money,
    o_orderdate: t.date(),
    o_orderpriority: t.string(),
    o_clerk: t.string(),
    o_shippriority: t.int(),
    o_comment: t.string(),
  }),
  lineitem: schema({
    l_orderkey: t.long().required(),
    l_partkey: t.long(),
    l_suppkey: t.long(),
    l_linenumber: t.long().required(),
    l_quantity: money,
    l_extendedprice: money,
    l_discount: money,
    l_tax: money,
    l_returnflag: t.string(),
    l_linestatus: t.string(),
    l_shipdate: t.date(),
    l_commitdate: t.date(),
    l_receiptdate: t.date(),
    l_shipinstruct: t.string(),
    l_shipmode: t.string(),
    l_comment: t.string(),
  }),
};

/** The texts of the 22 queries. */
export async function tpchQueries({ connection }: Lakehouse): Promise<readonly string[]> {
  const reader = await connection.runAndReadAll('SELECT query FROM tpch_queries() ORDER BY query_nr');
  return reader.getRows().map(([query]) => String(query));
}

/**
 * Makes the tables with dbgen, as `plain.<name>` of the session, and loads them into `tpch.<name>` of the catalog.
 * `lineitem` comes in as many files as is said.
 */
export async function loadTpch(
  lake: Lakehouse,
  catalog: Catalog,
  { scale, files }: { readonly scale: number; readonly files: number },
): Promise<ReadonlyMap<string, Table>> {
  await lake.connection.run(`LOAD '${await fetchExtension('tpch')}'`);
  await lake.connection.run('CREATE SCHEMA plain');
  await lake.connection.run(`CALL dbgen(sf = ${scale}, schema = 'plain')`);
  await catalog.createNamespace('tpch');
  const tables = new Map<string, Table>();
  for (const [name, shape] of Object.entries(TPCH_TABLES)) {
    await catalog.createTable(`tpch.${name}`, { schema: shape });
    const parts = name === 'lineitem' ? files : 1;
    for (let part = 0; part < parts; part++) {
      // In the order that dbgen gives: by key.
      const [rows] = (await lake.connection.runAndReadAll(`SELECT count(*) FROM plain.${name}`)).getRows();
      const share = Math.ceil(Number(rows![0]) / parts);
      await lake.append(`tpch.${name}`, `SELECT * FROM plain.${name} LIMIT ${share} OFFSET ${part * share}`);
    }
    tables.set(name, await lake.table(`tpch.${name}`));
  }
  return tables;
}
