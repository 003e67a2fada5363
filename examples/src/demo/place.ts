import { resolve } from 'node:path';

import type { FileIO, Table } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

import { bold, dim } from './terminal.ts';

/** Where the demo's table goes. */
export interface Place {
  readonly io: FileIO;
  readonly warehouse: string;
  /** What kind of place it is, in a line or two. */
  readonly about: readonly string[];
  /** How a program opens it. */
  readonly code: string;
  /** How other engines open a table where it lies. */
  openElsewhere(table: Table): readonly string[];
  close(): Promise<void>;
}

const USAGE = `These are the ways to run the demo:
  npm run demo                                      in the folder demo-warehouse
  npm run demo -- FOLDER
  npm run demo -- --s3                              on MinIO, started for the demo
  npm run demo -- --s3 ENDPOINT s3://BUCKET/PATH    there, with the keys that AWS's tools use (AWS_ACCESS_KEY_ID, …)`;

/** The place that the arguments of the command line name; null, once it has said what they may be, for others. */
export async function demoPlace(args: readonly string[]): Promise<Place | null> {
  const [first = 'demo-warehouse', endpoint, warehouse, ...rest] = args;
  if (first === '--s3' && (endpoint === undefined || (warehouse?.startsWith('s3://') && rest.length === 0))) {
    // Loaded for those who want it: the SDK of S3 is large.
    const { onMinio, onS3 } = await import('./s3-place.ts');
    return endpoint === undefined ? onMinio() : onS3(endpoint, warehouse!);
  }
  if (!first.startsWith('-') && endpoint === undefined) return onLocalDisk(resolve(first));
  console.error(USAGE);
  return null;
}

function onLocalDisk(warehouse: string): Place {
  return {
    io: new LocalFileIO(),
    warehouse,
    about: ['No server, no JVM: the library writes the table, DuckDB inside the process answers SQL.'],
    code: `const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse: '${warehouse}' });`,
    openElsewhere: (table) => [
      bold('DuckDB'),
      dim(`INSTALL iceberg; LOAD iceberg;\nSELECT count(*) FROM iceberg_scan('${table.metadataLocation}');`),
      '',
      bold('PyIceberg'),
      dim(`from pyiceberg.table import StaticTable
flights = StaticTable.from_metadata('${table.metadataLocation}')
flights.scan(row_filter="origin = 'SFO'").to_arrow()`),
      '',
      bold('Spark'),
      dim(`spark-sql --packages org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.12.0 \\
  --conf spark.sql.catalog.lake=org.apache.iceberg.spark.SparkCatalog \\
  --conf spark.sql.catalog.lake.type=hadoop --conf spark.sql.catalog.lake.warehouse=${warehouse} \\
  -e 'SELECT count(*) FROM lake.air.flights'`),
      '',
      bold('Trino'),
      dim(`-- with iceberg.register-table-procedure.enabled=true and fs.hadoop.enabled=true in the catalog's properties
CALL iceberg.system.register_table(
  schema_name => 'air', table_name => 'flights', table_location => 'file://${table.location}')`),
    ],
    close: async () => undefined,
  };
}
