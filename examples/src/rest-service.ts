// A service that owns a table behind a REST catalog: events come in over HTTP, and Spark, Trino or PyIceberg read the table
// at the same time. The settings are PyIceberg's: PYICEBERG_CATALOG__PROD__URI=http://… node rest-service.js
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

import { catalogProperties, isLakehouseError, openCatalog, partitionBy, schema, t, type InferRow } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { s3FileIO } from '@lh/io-s3';
import { Lakehouse } from '@lh/sql';

const shape = schema({ id: t.long().required(), at: t.timestamptz().required(), page: t.string() });
type Visit = InferRow<typeof shape>;

const catalog = await openCatalog(catalogProperties('prod', process.env), {
  // The server says where a table's files are, and lends the keys.
  io: (settings) => (settings.location.startsWith('s3:') ? s3FileIO(settings) : new LocalFileIO()),
});
if (!(await catalog.namespaceExists('web'))) await catalog.createNamespace('web');
if (!(await catalog.tableExists('web.visits'))) {
  await catalog.createTable('web.visits', { schema: shape, partitionBy: [partitionBy.day('at')] });
}
const visits = await catalog.loadTable('web.visits');
const lake = await Lakehouse.open({ catalog });

/** Visits of many requests become one commit: while one is under way, the next ones gather. */
let gathered: Visit[] = [];
let committing: Promise<unknown> = Promise.resolve();

async function store(rows: readonly Visit[]): Promise<void> {
  const isFirst = gathered.length === 0;
  gathered.push(...rows);
  if (isFirst) committing = commitAfter(committing);
  await committing;
}

async function commitAfter(earlier: Promise<unknown>): Promise<void> {
  // Its callers are told if it fails.
  await earlier.catch(() => undefined);
  const batch = gathered;
  gathered = [];
  await visits.append(batch);
}

async function answer(request: IncomingMessage): Promise<readonly [status: number, body: unknown]> {
  if (request.method === 'POST') {
    await store((await json(request)) as Visit[]);
    return [201, { stored: true }];
  }
  const result = await lake.sql(
    'SELECT page, count(*) AS visits FROM web.visits GROUP BY page ORDER BY visits DESC, page',
  );
  return [200, (await result.rows()).map((row) => ({ ...row, visits: Number(row['visits']) }))];
}

const server = createServer((request, response) => {
  const sent = ([status, body]: readonly [number, unknown]): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const failed = (error: unknown): void => {
    // The caller may try again what others got in the way of; rows that don't fit are the caller's to mend.
    const status = !isLakehouseError(error) ? 500 : error.retryable ? 503 : 400;
    sent([status, { error: error instanceof Error ? error.message : String(error) }]);
  };
  answer(request).then(sent, failed);
});
server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.once('SIGTERM', () => {
  server.close(() => void committing.catch(() => undefined).then(() => lake.close()));
  server.closeIdleConnections();
});
