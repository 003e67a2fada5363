export { fetchExtension } from './fetch-extension.ts';
export { TPCH_TABLES, loadTpch, tpchQueries } from './tpch.ts';
