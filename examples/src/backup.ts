// A backup of a table: a copy that is a table itself, checked when it is read back.
import { MemoryCatalog, MemoryFileIO, Table, exportTable, importTable, schema, t } from '@lh/core';

const io = new MemoryFileIO();
const catalog = new MemoryCatalog({ io, warehouse: '/warehouse' });
await catalog.createNamespace('web');
const events = await catalog.createTable('web.events', { schema: schema({ id: t.long().required() }) });
await events.append([{ id: 1n }, { id: 2n }]);
await events.createTag('first');
await events.append([{ id: 3n }]);

// Another store as well: `{ to: 's3://backups/events', io: new S3FileIO({ … }) }`.
const exported = await exportTable(events, { to: '/backups/events' });
console.log(`${exported.files} files`);
const copy = await Table.load(exported.metadataLocation, { io });
console.log(await copy.scan().count(), await copy.scan({ ref: 'first' }).count());

await catalog.dropTable('web.events', { purge: true });
await importTable({ from: '/backups/events', io, location: '/warehouse/restored', catalog, name: 'web.events' });
const restored = await catalog.loadTable('web.events');
console.log(await restored.scan().count(), Object.keys(restored.refs()));

await io.write('/backups/events/SHA256SUMS', new Uint8Array());
await importTable({ from: '/backups/events', io, location: '/elsewhere' }).catch((error: Error) =>
  console.log(error.message),
);
