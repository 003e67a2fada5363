// How long history is kept: by age, by number, by branch and tag. What no snapshot reaches any more is deleted.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

const warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-'));
const io = new LocalFileIO();
const catalog = await FileSystemCatalog.open({ io, warehouse });
await catalog.createNamespace('web');
const users = await catalog.createTable('web.users', {
  schema: schema({ id: t.long().required(), city: t.string() }),
});
await users.append([{ id: 1n, city: 'Seoul' }]);
await users.append([{ id: 2n, city: 'Busan' }]);
await users.createTag('audit-2026', { maxRefAgeMs: 5 * 365 * 24 * 60 * 60 * 1000 });
// A stream writes keys of what it replaces, without reading; later they become positions, which are cheap to read.
for (let id = 1n; id <= 6n; id++) {
  await users.rowDelta({
    rows: [{ id, city: 'Jeju' }],
    equalityDeletes: { fields: ['id'], rows: [{ id }] },
  });
}
const { convertedEqualityDeleteFilesCount } = await users.convertEqualityDeletes();
console.log(`${convertedEqualityDeleteFilesCount} files of keys became positions`);
const { rewrittenManifestsCount, addedManifestsCount } = await users.rewriteManifests();
console.log(`${rewrittenManifestsCount} manifests became ${addedManifestsCount}`);

// The newest two, and what the tag is at.
const soon = new Date(Date.now() + 1000);
const planned = await users.expireSnapshots({ olderThan: soon, retainLast: 2, dryRun: true });
const { snapshotIds, deletedManifestListsCount, deletedEqualityDeleteFilesCount } = await users.expireSnapshots({
  olderThan: soon,
  retainLast: 2,
});
console.log(`${snapshotIds.length} of ${planned.snapshotIds.length} planned snapshots are gone`);
console.log(`${deletedManifestListsCount} manifest lists, ${deletedEqualityDeleteFilesCount} files of keys`);
console.log(await users.scan({ ref: 'audit-2026' }).toRows());

// What a job that was killed has left.
await io.write(`${users.location}/data/left-behind.parquet`, Uint8Array.of(1));
const { orphanFiles } = await users.removeOrphanFiles({ olderThan: soon, dryRun: true });
console.log(orphanFiles.map((file) => file.slice(users.location.length)));
await rm(warehouse, { recursive: true });
