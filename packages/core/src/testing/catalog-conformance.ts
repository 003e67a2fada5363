import type { Catalog, CreateTableOptions } from '../catalog/catalog.ts';
import { isLakehouseError } from '../errors.ts';
import type { FileIO } from '../io/file-io.ts';
import { partitionBy } from '../spec/partition-by.ts';
import { schema, t } from '../spec/schema-builder.ts';
import { check, checkEqual, checkRejects, collect, type ConformanceCase } from './check.ts';

/** An empty catalog, what it can do, and the io that its tables' files are in. */
export interface CatalogSubject {
  readonly catalog: Catalog;
  readonly io: FileIO;
  readonly capabilities: CatalogCapabilities;
}

/** Where catalogs may differ. What one can't do it refuses with UNSUPPORTED, and nothing changes. */
export interface CatalogCapabilities {
  readonly renameTable: boolean;
  /** Namespaces keep properties that users give. */
  readonly namespaceProperties: boolean;
  /** A table can only be created in a namespace that exists: NOT_FOUND otherwise. */
  readonly requiresNamespace: boolean;
  /** Tables can be created at a location of the user's choice. */
  readonly chosenLocation: boolean;
  /** A handle goes on with its table after the table was renamed; NOT_FOUND otherwise, as for a table that is gone. */
  readonly handlesFollowRenames: boolean;
  /** Characters that names can't have, of those that names mostly can; '' if there are none. */
  readonly unfitForNames: string;
}

type Run = (subject: CatalogSubject) => Promise<void>;

const byText = (a: readonly string[], b: readonly string[]): number => (a.join('.') < b.join('.') ? -1 : 1);

const OPTIONS: CreateTableOptions = {
  schema: schema({ id: t.long().required(), ts: t.timestamptz(), city: t.string() }),
  partitionBy: [partitionBy.day('ts')],
  properties: { owner: 'me' },
};

async function filesUnder(io: FileIO, location: string): Promise<string[]> {
  return (await collect(io.list(`${location}/`))).map((file) => file.location).toSorted();
}

const NAMESPACES: Record<string, Run> = {
  'a namespace is created, found, listed and dropped': async ({ catalog }) => {
    checkEqual(await catalog.listNamespaces(), [], 'namespaces of an empty catalog');
    checkEqual(await catalog.namespaceExists('web'), false, 'before it is created');
    await catalog.createNamespace('web');
    await catalog.createNamespace('shop');
    checkEqual(await catalog.namespaceExists('web'), true, 'after it was created');
    checkEqual((await catalog.listNamespaces()).toSorted(byText), [['shop'], ['web']], 'namespaces');
    await catalog.dropNamespace('web');
    checkEqual(await catalog.namespaceExists('web'), false, 'after it was dropped');
    checkEqual(await catalog.listNamespaces(), [['shop']], 'what is left');
  },
  'a namespace can be created once': async ({ catalog }) => {
    await catalog.createNamespace('web');
    await checkRejects(catalog.createNamespace('web'), 'ALREADY_EXISTS', 'the second time');
    await catalog.dropNamespace('web');
    await catalog.createNamespace('web');
  },
  'namespaces nest': async ({ catalog }) => {
    await catalog.createNamespace('a');
    await catalog.createNamespace('a.b');
    await catalog.createNamespace(['a', 'c']);
    checkEqual(await catalog.listNamespaces(), [['a']], 'at the root');
    checkEqual(
      (await catalog.listNamespaces('a')).toSorted(byText),
      [
        ['a', 'b'],
        ['a', 'c'],
      ],
      'below a',
    );
    checkEqual(await catalog.listNamespaces('a.b'), [], 'below a.b');
    checkEqual(await catalog.namespaceExists('b'), false, 'a child is not a namespace of the root');
    await catalog.createTable('a.b.t', OPTIONS);
    checkEqual(await catalog.listTables('a.b'), [['a', 'b', 't']], 'tables of a.b');
    checkEqual(await catalog.listTables('a'), [], 'tables of a');
    checkEqual(await catalog.listNamespaces('a.b'), [], 'a table is no namespace');
  },
  'a namespace that is not there is NOT_FOUND': async ({ catalog }) => {
    await checkRejects(catalog.loadNamespaceProperties('none'), 'NOT_FOUND', 'its properties');
    await checkRejects(catalog.listNamespaces('none'), 'NOT_FOUND', 'its children');
    await checkRejects(catalog.listTables('none'), 'NOT_FOUND', 'its tables');
    await checkRejects(catalog.dropNamespace('none'), 'NOT_FOUND', 'dropping it');
  },
  'a namespace that is not empty is not dropped': async ({ catalog }) => {
    await catalog.createNamespace('web');
    await catalog.createTable('web.t', OPTIONS);
    await checkRejects(catalog.dropNamespace('web'), 'INVALID_ARGUMENT', 'with a table in it');
    await catalog.dropTable('web.t');
    await catalog.createNamespace('web.sub');
    await checkRejects(catalog.dropNamespace('web'), 'INVALID_ARGUMENT', 'with a namespace in it');
    await catalog.dropNamespace('web.sub');
    await catalog.dropNamespace('web');
    checkEqual(await catalog.namespaceExists('web'), false, 'after it was dropped');
  },
  'properties of a namespace are kept, or refused': async ({ catalog, capabilities }) => {
    const created = catalog.createNamespace('web', { owner: 'me' });
    if (capabilities.namespaceProperties) {
      await created;
      checkEqual((await catalog.loadNamespaceProperties('web'))['owner'], 'me', 'the property');
    } else {
      await checkRejects(created, 'UNSUPPORTED', 'a namespace with properties');
      checkEqual(await catalog.namespaceExists('web'), false, 'the refused namespace');
    }
  },
  'names are kept as they are': async ({ catalog, capabilities }) => {
    const isFit = (name: string): boolean =>
      !Array.from(capabilities.unfitForNames).some((unfit) => name.includes(unfit));
    const names = ['a b', 'ü', '100%', '%2F', "it's", 'a+b', 'A', 'dotted.name'].filter(isFit);
    for (const name of names) {
      await catalog.createNamespace([name]);
      await catalog.createTable([name, name], OPTIONS);
      checkEqual(await catalog.listTables([name]), [[name, name]], `tables of '${name}'`);
      checkEqual((await catalog.loadTable([name, name])).properties['owner'], 'me', `the table in '${name}'`);
    }
    checkEqual((await catalog.listNamespaces()).flat().toSorted(), names.toSorted(), 'namespaces');
  },
  'empty names are INVALID_ARGUMENT': async ({ catalog }) => {
    for (const name of ['', '.', 'a.', '.a', 'a..b']) {
      await checkRejects(catalog.createNamespace(name), 'INVALID_ARGUMENT', `namespace '${name}'`);
      await checkRejects(catalog.createTable(name, OPTIONS), 'INVALID_ARGUMENT', `table '${name}'`);
    }
    await checkRejects(catalog.createNamespace([]), 'INVALID_ARGUMENT', 'a namespace without levels');
    await checkRejects(catalog.createTable([], OPTIONS), 'INVALID_ARGUMENT', 'a table without levels');
  },
};

const TABLES: Record<string, Run> = {
  'a table is created, found, listed and loaded': async ({ catalog }) => {
    await catalog.createNamespace('web');
    checkEqual(await catalog.tableExists('web.events'), false, 'before it is created');
    const created = await catalog.createTable('web.events', OPTIONS);
    checkEqual(await catalog.tableExists('web.events'), true, 'after it was created');
    checkEqual(await catalog.listTables('web'), [['web', 'events']], 'tables');
    const loaded = await catalog.loadTable('web.events');
    checkEqual(loaded.name, created.name, 'name');
    checkEqual(loaded.metadata.tableUuid, created.metadata.tableUuid, 'uuid');
    checkEqual(loaded.metadataLocation, created.metadataLocation, 'metadata location');
    checkEqual(
      loaded.schema.fields.map((field) => field.name),
      ['id', 'ts', 'city'],
      'columns',
    );
    checkEqual(
      loaded.spec.fields.map((field) => field.name),
      ['ts_day'],
      'partition fields',
    );
    checkEqual(loaded.properties['owner'], 'me', 'property');
    checkEqual(loaded.currentSnapshot()?.snapshotId, undefined, 'snapshot');
  },
  'a table that is not there is NOT_FOUND': async ({ catalog }) => {
    await catalog.createNamespace('web');
    for (const name of ['web.none', 'none.none']) {
      checkEqual(await catalog.tableExists(name), false, `existence of ${name}`);
      await checkRejects(catalog.loadTable(name), 'NOT_FOUND', `loading ${name}`);
      await checkRejects(catalog.dropTable(name), 'NOT_FOUND', `dropping ${name}`);
      await checkRejects(catalog.dropTable(name, { purge: true }), 'NOT_FOUND', `purging ${name}`);
    }
  },
  'a table that is staged comes with its first commit': async ({ catalog, io }) => {
    await catalog.createNamespace('web');
    const staged = await catalog.stageTable?.('web.events', OPTIONS);
    if (!staged) return;
    checkEqual(await catalog.tableExists('web.events'), false, 'before the commit');
    const failed = staged.transaction(async (tx) => {
      await tx.append([{ id: 1n, ts: null, city: 'Seoul' }]);
      throw new Error('no');
    });
    await failed.catch(() => undefined);
    checkEqual(await filesUnder(io, staged.location), [], 'files of a commit that failed');
    await staged.append([{ id: 1n, ts: null, city: 'Seoul' }]);
    await staged.append([{ id: 2n, ts: null, city: 'Busan' }]);
    const loaded = await catalog.loadTable('web.events');
    checkEqual(loaded.snapshots().length, 2, 'snapshots');
    checkEqual(loaded.uuid, staged.uuid, 'uuid');
    checkEqual(loaded.metadata.metadataLog.length, 1, 'versions before');
    checkEqual((await loaded.scan().toRows()).length, 2, 'rows');
  },
  'of a table that is staged and one that is made, the first is there': async ({ catalog, io }) => {
    await catalog.createNamespace('web');
    const staged = await catalog.stageTable?.('web.events', OPTIONS);
    if (!staged) return;
    const created = await catalog.createTable('web.events', OPTIONS);
    await checkRejects(catalog.stageTable!('web.events', OPTIONS), 'ALREADY_EXISTS', 'staging it again');
    const before = await filesUnder(io, created.location);
    await checkRejects(staged.append([{ id: 1n, ts: null, city: 'Seoul' }]), 'ALREADY_EXISTS', 'the later one');
    checkEqual((await catalog.loadTable('web.events')).uuid, created.uuid, 'uuid');
    checkEqual(await filesUnder(io, created.location), before, 'files');
  },
  'a table needs its namespace, or brings it along': async ({ catalog, capabilities }) => {
    const created = catalog.createTable('new.t', OPTIONS);
    if (capabilities.requiresNamespace) {
      await checkRejects(created, 'NOT_FOUND', 'a table without a namespace');
    } else {
      await created;
      checkEqual(await catalog.namespaceExists('new'), true, 'the namespace');
      checkEqual(await catalog.listNamespaces(), [['new']], 'namespaces');
      await checkRejects(catalog.createNamespace('new'), 'ALREADY_EXISTS', 'creating the namespace now');
    }
  },
  'creating a table again changes nothing': async ({ catalog }) => {
    await catalog.createNamespace('web');
    const first = await catalog.createTable('web.t', OPTIONS);
    const again = catalog.createTable('web.t', { schema: schema({ other: t.int() }) });
    await checkRejects(again, 'ALREADY_EXISTS', 'the second time');
    const loaded = await catalog.loadTable('web.t');
    checkEqual(loaded.metadata.tableUuid, first.metadata.tableUuid, 'uuid');
    checkEqual(loaded.schema.fields.length, 3, 'number of columns');
  },
  'of those who create a table at once exactly one succeeds': async ({ catalog }) => {
    await catalog.createNamespace('web');
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => catalog.createTable('web.t', OPTIONS)));
    const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    checkEqual(winners.length, 1, 'winners');
    for (const result of results) {
      if (result.status === 'rejected') await checkRejects(Promise.reject(result.reason), 'ALREADY_EXISTS', 'a loser');
    }
    const { tableUuid } = (await catalog.loadTable('web.t')).metadata;
    checkEqual(tableUuid, winners[0]?.metadata.tableUuid, "the winner's table");
  },
  'a table that can not be is not created': async ({ catalog }) => {
    await catalog.createNamespace('web');
    const wrong: CreateTableOptions[] = [
      { ...OPTIONS, partitionBy: [partitionBy.day('none')] },
      { ...OPTIONS, partitionBy: [partitionBy.day('city')] },
      { ...OPTIONS, sortBy: ['none'] },
    ];
    for (const options of wrong) {
      await checkRejects(catalog.createTable('web.t', options), 'INVALID_ARGUMENT', 'a wrong definition');
      checkEqual(await catalog.tableExists('web.t'), false, 'existence');
    }
    await catalog.createTable('web.t', OPTIONS);
  },
  'a location is taken, or refused': async ({ catalog, capabilities }) => {
    await catalog.createNamespace('web');
    const { location } = await catalog.createTable('web.first', OPTIONS);
    const chosen = `${location}-elsewhere`;
    const created = catalog.createTable('web.second', { ...OPTIONS, location: chosen });
    if (capabilities.chosenLocation) {
      checkEqual((await created).location, chosen, 'location');
    } else {
      await checkRejects(created, 'UNSUPPORTED', 'another location');
      checkEqual(await catalog.tableExists('web.second'), false, 'existence');
    }
  },
};

const COMMITS: Record<string, Run> = {
  'a commit is seen by others when they look': async ({ catalog }) => {
    await catalog.createNamespace('web');
    const mine = await catalog.createTable('web.t', OPTIONS);
    const theirs = await catalog.loadTable('web.t');
    await mine.setProperties({ color: 'red' });
    checkEqual(mine.properties['color'], 'red', 'on the handle that committed');
    checkEqual(theirs.properties['color'], undefined, 'on another handle, before it refreshes');
    await theirs.refresh();
    checkEqual(theirs.properties['color'], 'red', 'on another handle, after it refreshed');
    checkEqual((await catalog.loadTable('web.t')).properties['color'], 'red', 'on a new handle');
    checkEqual(mine.metadata.metadataLog.length, 1, 'entries of the metadata log');
  },
  'commits of many handles at once are all kept': async ({ catalog }) => {
    await catalog.createNamespace('web');
    await catalog.createTable('web.t', {
      ...OPTIONS,
      properties: {
        'commit.retry.num-retries': '50',
        'commit.retry.min-wait-ms': '5',
        'commit.retry.max-wait-ms': '50',
      },
    });
    const writer = async (name: string): Promise<void> => {
      const table = await catalog.loadTable('web.t');
      for (let index = 0; index < 5; index++) await table.setProperties({ [`${name}${index}`]: 'x' });
    };
    const writers = ['a', 'b', 'c', 'd'];
    await Promise.all(writers.map(writer));
    const { properties } = await catalog.loadTable('web.t');
    const kept = writers.flatMap((name) => [0, 1, 2, 3, 4].map((index) => properties[`${name}${index}`]));
    checkEqual(kept.filter((value) => value === 'x').length, 20, 'commits that were kept');
  },
  'appended rows are read back by any handle': async ({ catalog }) => {
    await catalog.createNamespace('web');
    const table = await catalog.createTable('web.t', OPTIONS);
    await table.append([{ id: 1n, ts: '2024-01-01T00:00:00Z', city: 'Seoul' }]);
    await (await catalog.loadTable('web.t')).append([{ id: 2n, ts: null, city: 'Busan' }]);
    const rows = await (await catalog.loadTable('web.t')).scan({ select: ['id', 'city'] }).toRows();
    const found = rows.map((row) => `${String(row['id'])} ${String(row['city'])}`).toSorted();
    checkEqual(found, ['1 Seoul', '2 Busan'], 'rows');
  },
};

const DROPS: Record<string, Run> = {
  'a dropped table is gone, and its files stay': async ({ catalog, io }) => {
    await catalog.createNamespace('web');
    const table = await catalog.createTable('web.t', OPTIONS);
    await table.append([{ id: 1n, ts: null, city: 'Seoul' }]);
    const before = await filesUnder(io, table.location);
    await catalog.dropTable('web.t');
    checkEqual(await catalog.tableExists('web.t'), false, 'existence');
    checkEqual(await catalog.listTables('web'), [], 'tables');
    checkEqual(await catalog.listNamespaces('web'), [], 'namespaces: what is left is none');
    await checkRejects(catalog.loadTable('web.t'), 'NOT_FOUND', 'loading it');
    await checkRejects(catalog.dropTable('web.t'), 'NOT_FOUND', 'dropping it again');
    const after = new Set(await filesUnder(io, table.location));
    checkEqual(
      before.filter((location) => !after.has(location)),
      [],
      'files that are missing',
    );
  },
  'a dropped table comes back by registering its metadata': async ({ catalog }) => {
    await catalog.createNamespace('web');
    const table = await catalog.createTable('web.t', OPTIONS);
    await table.append([{ id: 1n, ts: null, city: 'Seoul' }]);
    await catalog.dropTable('web.t');
    const back = await catalog.registerTable('web.t', table.metadataLocation);
    checkEqual(back.metadata.tableUuid, table.metadata.tableUuid, 'uuid');
    checkEqual(await catalog.listTables('web'), [['web', 't']], 'tables');
    await back.append([{ id: 2n, ts: null, city: 'Busan' }]);
    const rows = await (await catalog.loadTable('web.t')).scan().toRows();
    checkEqual(rows.map((row) => String(row['id'])).toSorted(), ['1', '2'], 'rows');
  },
  'a new table can take the name of a dropped one': async ({ catalog }) => {
    await catalog.createNamespace('web');
    const old = await catalog.createTable('web.t', OPTIONS);
    await old.append([{ id: 1n, ts: null, city: 'Seoul' }]);
    await catalog.dropTable('web.t');
    const fresh = await catalog.createTable('web.t', OPTIONS);
    check(fresh.metadata.tableUuid !== old.metadata.tableUuid, 'the new table has a uuid of its own');
    checkEqual((await fresh.scan().toRows()).length, 0, 'rows of the new table');
    // The old handle is one of another table now.
    await checkRejects(old.setProperties({ a: 'b' }), 'NOT_FOUND', 'a commit with the old handle');
    await checkRejects(old.refresh(), 'NOT_FOUND', 'a refresh of the old handle');
    checkEqual((await catalog.loadTable('web.t')).properties['a'], undefined, "the old handle's property");
  },
  'handles of a dropped table say so': async ({ catalog }) => {
    await catalog.createNamespace('web');
    const table = await catalog.createTable('web.t', OPTIONS);
    await catalog.dropTable('web.t');
    await checkRejects(table.refresh(), 'NOT_FOUND', 'refresh');
    await checkRejects(table.setProperties({ a: 'b' }), 'NOT_FOUND', 'a commit');
    checkEqual(await catalog.tableExists('web.t'), false, 'existence');
  },
  'purge deletes the files of the table and no others': async ({ catalog, io }) => {
    await catalog.createNamespace('web');
    const table = await catalog.createTable('web.t', OPTIONS);
    const other = await catalog.createTable('web.t2', OPTIONS);
    await table.append([{ id: 1n, ts: null, city: 'Seoul' }]);
    await table.append([{ id: 2n, ts: '2024-01-01T00:00:00Z', city: 'Busan' }]);
    await other.append([{ id: 3n, ts: null, city: 'Jeju' }]);
    const stranger = `${table.location}/data/stranger.parquet`;
    await io.write(stranger, new Uint8Array(1));
    await catalog.dropTable('web.t', { purge: true });
    checkEqual(await catalog.tableExists('web.t'), false, 'existence');
    checkEqual(await catalog.listTables('web'), [['web', 't2']], 'tables');
    checkEqual(await filesUnder(io, table.location), [stranger], 'files that are left');
    checkEqual((await other.scan().toRows()).length, 1, 'rows of the other table');
    const fresh = await catalog.createTable('web.t', OPTIONS);
    checkEqual((await fresh.scan().toRows()).length, 0, 'rows of a new table');
  },
};

const NAMES: Record<string, Run> = {
  'a table is renamed, or that is refused': async ({ catalog, capabilities }) => {
    await catalog.createNamespace('web');
    await catalog.createNamespace('shop');
    const table = await catalog.createTable('web.t', OPTIONS);
    if (!capabilities.renameTable) {
      await checkRejects(catalog.renameTable('web.t', 'shop.u'), 'UNSUPPORTED', 'renaming');
      checkEqual(await catalog.tableExists('web.t'), true, 'the old name');
      return;
    }
    await catalog.createTable('web.taken', OPTIONS);
    await checkRejects(catalog.renameTable('web.t', 'web.taken'), 'ALREADY_EXISTS', 'to a name that is taken');
    await checkRejects(catalog.renameTable('web.t', 'none.t'), 'NOT_FOUND', 'to a namespace that is not there');
    await checkRejects(catalog.renameTable('web.none', 'web.u'), 'NOT_FOUND', 'a table that is not there');
    await catalog.renameTable('web.t', 'shop.u');
    checkEqual(await catalog.tableExists('web.t'), false, 'the old name');
    checkEqual((await catalog.loadTable('shop.u')).metadata.tableUuid, table.metadata.tableUuid, 'uuid');
    if (!capabilities.handlesFollowRenames) {
      await checkRejects(table.setProperties({ after: 'rename' }), 'NOT_FOUND', 'a commit with the old handle');
      return;
    }
    await table.setProperties({ after: 'rename' });
    checkEqual((await catalog.loadTable('shop.u')).properties['after'], 'rename', 'a commit with the old handle');
  },
  'a metadata file is registered under a name that is free': async ({ catalog }) => {
    await catalog.createNamespace('web');
    const table = await catalog.createTable('web.t', OPTIONS);
    await table.append([{ id: 1n, ts: null, city: 'Seoul' }]);
    await checkRejects(catalog.registerTable('web.t', table.metadataLocation), 'ALREADY_EXISTS', 'a taken name');
    const missing = `${table.metadataLocation.replace(/[^/]*$/, '')}none.metadata.json`;
    await checkRejects(catalog.registerTable('web.u', missing), 'NOT_FOUND', 'a file that is not there');
    await checkRejects(catalog.registerTable('web.u', table.location), 'INVALID_ARGUMENT', 'a directory');
    checkEqual(await catalog.tableExists('web.u'), false, 'after failures');
    const registered = await catalog.registerTable('web.u', table.metadataLocation);
    checkEqual((await registered.scan().toRows()).length, 1, 'rows');
    // From here on they are two tables that share files.
    await registered.append([{ id: 2n, ts: null, city: 'Busan' }]);
    checkEqual((await (await catalog.loadTable('web.u')).scan().toRows()).length, 2, 'rows of the registered one');
    checkEqual((await (await catalog.loadTable('web.t')).scan().toRows()).length, 1, 'rows of the first one');
  },
  'a name that is taken by the other kind is refused or kept apart': async ({ catalog }) => {
    await catalog.createNamespace('web');
    await catalog.createTable('web.t', OPTIONS);
    await catalog.createNamespace('web.t').catch((error: unknown) => {
      check(isLakehouseError(error, 'ALREADY_EXISTS'), `a namespace named like a table: ${String(error)}`);
    });
    checkEqual(await catalog.tableExists('web.t'), true, 'the table');
    checkEqual(await catalog.listTables('web'), [['web', 't']], 'tables');
  },
};

/**
 * What every catalog has to do, as data for any test runner. `make` gives a fresh, empty catalog each time.
 */
export const catalogConformance: readonly ConformanceCase<CatalogSubject>[] = [
  NAMESPACES,
  TABLES,
  COMMITS,
  DROPS,
  NAMES,
].flatMap((group) => Object.entries(group).map(([name, run]) => ({ name, run: async (make) => run(await make()) })));
