import { LakehouseError } from '@lh/core';
import { S3FileIO } from '@lh/io-s3';
import { S3ServerMissing, startS3Server } from 'lakehouse-s3-server';

import type { Place } from './place.ts';
import { bold, dim } from './terminal.ts';

// AWS's client warns of later versions of itself, which will want a later Node.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

/** An S3 server of its own, and nothing is left of it. */
export async function onMinio(): Promise<Place> {
  const server = await startS3Server().catch((error: unknown) => {
    throw error instanceof S3ServerMissing ? new LakehouseError('UNAVAILABLE', error.message) : error;
  });
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const io = new S3FileIO({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
  const warehouse = `s3://${await server.newBucket()}/warehouse`;
  return {
    io,
    warehouse,
    about: [
      `On S3: ${endpoint}, a server that this demo has started or was given. Nothing but it: no catalog service, no lock,`,
      'no JVM. The library writes the table, DuckDB inside the process answers SQL.',
    ],
    code: codeOf(endpoint, warehouse, ', credentials'),
    openElsewhere: () => [
      `The table was on an S3 server of this demo's own, and goes with it. To keep it, give one that stays:`,
      dim('npm run demo -- --s3 http://127.0.0.1:9000 s3://my-bucket/warehouse'),
    ],
    close: () => server.stop(),
  };
}

function codeOf(endpoint: string, warehouse: string, more = ''): string {
  return `const io = new S3FileIO({ endpoint: '${endpoint}'${more} });
const catalog = await FileSystemCatalog.open({ io, warehouse: '${warehouse}' });`;
}

/** A bucket that is there already. */
export function onS3(endpoint: string, warehouse: string): Place {
  const { host, protocol } = new URL(endpoint);
  return {
    io: new S3FileIO({ endpoint }),
    warehouse,
    about: [
      `On S3: ${endpoint}. Nothing but it: no catalog service, no lock, no JVM. The library writes the table, DuckDB inside`,
      'the process answers SQL.',
    ],
    code: codeOf(endpoint, warehouse),
    openElsewhere: ({ metadataLocation, location }) => [
      bold('DuckDB'),
      dim(`INSTALL iceberg; LOAD iceberg; INSTALL httpfs; LOAD httpfs; INSTALL aws; LOAD aws;
CREATE SECRET (TYPE s3, PROVIDER credential_chain, ENDPOINT '${host}', URL_STYLE 'path', USE_SSL ${protocol === 'https:'});
SELECT count(*) FROM iceberg_scan('${metadataLocation}');`),
      '',
      bold('PyIceberg'),
      dim(`from pyiceberg.table import StaticTable
flights = StaticTable.from_metadata('${metadataLocation}', {'s3.endpoint': '${endpoint}'})
flights.scan(row_filter="origin = 'SFO'").to_arrow()`),
      '',
      bold('Trino'),
      dim(`-- with iceberg.register-table-procedure.enabled=true, fs.native-s3.enabled=true, s3.endpoint=${endpoint}
-- and s3.path-style-access=true in the catalog's properties
CALL iceberg.system.register_table(
  schema_name => 'air', table_name => 'flights', table_location => '${location}')`),
    ],
    close: async () => undefined,
  };
}
