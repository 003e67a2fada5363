import { fileURLToPath } from 'node:url';

/** The three million US flights that the npm package vega-datasets ships. */
export const flightsFile: string = fileURLToPath(
  new URL('../data/flights-3m.parquet', import.meta.resolve('vega-datasets')),
);

export const FLIGHTS = 3_000_000;

/** Quoted for SQL. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
