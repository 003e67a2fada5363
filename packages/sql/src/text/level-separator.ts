/** Joins the levels of a nested namespace into one name where DuckDB's grammar has room for two only. */
export const LEVEL_SEPARATOR = '\u001f';
