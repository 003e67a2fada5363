import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DROPPED_AT, FileSystemTableOperations } from '../../src/catalog/file-system/table-operations.ts';
import { staticTableOperations } from '../../src/catalog/static-table-operations.ts';
import type { LoadedMetadata } from '../../src/catalog/catalog.ts';
import { LakehouseError } from '../../src/errors.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import { MappedFileIO } from '../../src/io/mapped-file-io.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { newTableMetadata } from '../../src/spec/new-table-metadata.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { serializeTableMetadata } from '../../src/spec/table-metadata-json.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';
import { FaultInjectingFileIO, SeededRuntime, type FaultRule } from '../../src/testing/index.ts';

const ROOT = 's3://bucket/wh/web/events';
const DIRECTORY = `${ROOT}/metadata`;
const UUID = '9c12d441-03fe-4693-9a96-a0705ddf69c1';

function newTable(properties: Record<string, string> = {}, location: string = ROOT): TableMetadata {
  return newTableMetadata({ schema: schema({ id: t.long() }), location, properties, uuid: UUID, nowMs: 1000 });
}

interface World {
  readonly runtime: SeededRuntime;
  readonly store: MemoryFileIO;
  readonly operations: FileSystemTableOperations;
}

function world(): World {
  const runtime = new SeededRuntime(1);
  const store = new MemoryFileIO({ runtime });
  return { runtime, store, operations: new FileSystemTableOperations(ROOT, store, { runtime }) };
}

async function withTable(properties: Record<string, string> = {}): Promise<World & { readonly base: LoadedMetadata }> {
  const made = world();
  return { ...made, base: await made.operations.create(newTable(properties)) };
}

/** The same table through a connection that has faults. */
function faulty({ store, runtime }: World, ...rules: FaultRule[]): FileSystemTableOperations {
  return new FileSystemTableOperations(ROOT, new FaultInjectingFileIO(store, { runtime, rules }), { runtime });
}

const isClaim = (call: { readonly location: string; readonly ifNoneMatch: boolean }): boolean =>
  call.ifNoneMatch && /\/v\d+\.metadata\.json$/.test(call.location);

function set(operations: FileSystemTableOperations, base: LoadedMetadata, key: string): Promise<LoadedMetadata> {
  return operations.commit(base, [], [{ action: 'set-properties', updates: { [key]: 'x' } }]);
}

/** Runs with the clock of the runtime, so that waits before retries pass. */
async function settle<T>(runtime: SeededRuntime, task: () => Promise<T>): Promise<T> {
  const [result] = await runtime.run([task]);
  if (result?.status === 'fulfilled') return result.value;
  throw result?.reason;
}

async function names(store: FileIO): Promise<string[]> {
  const found: string[] = [];
  for await (const file of store.list(`${DIRECTORY}/`)) found.push(file.location.slice(DIRECTORY.length + 1));
  return found.toSorted();
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('layout', () => {
  test('versions, a hint and nothing else', async () => {
    const { operations, store, base } = await withTable();
    const next = await set(operations, base, 'a');
    expect([base.metadataLocation, next.metadataLocation]).toEqual([
      `${DIRECTORY}/v1.metadata.json`,
      `${DIRECTORY}/v2.metadata.json`,
    ]);
    expect(await names(store)).toEqual(['v1.metadata.json', 'v2.metadata.json', 'version-hint.text']);
    expect(text(await store.read(`${DIRECTORY}/version-hint.text`))).toBe('2');
    expect(next.metadata.metadataLog.map((entry) => entry.metadataFile)).toEqual([base.metadataLocation]);
    expect(operations.newMetadataFileLocation(next.metadata, 'snap-1.avro')).toBe(`${DIRECTORY}/snap-1.avro`);
  });

  test('what was written is what is loaded', async () => {
    const { operations, store, runtime, base } = await withTable();
    const next = await set(operations, base, 'a');
    const other = new FileSystemTableOperations(`${ROOT}/`, store, { runtime });
    expect(await other.load()).toEqual(next);
    expect(other.readOnly).toBeNull();
  });

  test('a commit that changes nothing makes no version', async () => {
    const { operations, base } = await withTable({ a: 'x' });
    expect(await set(operations, base, 'a')).toBe(base);
  });
});

describe('the newest version', () => {
  test.each([
    ['missing', null],
    ['behind', '1'],
    ['far ahead', '99'],
    ['empty', ''],
    ['no number', 'v3'],
    ['with a line feed', '3\n'],
  ])('is found when the hint is %s', async (_what, hint) => {
    const { operations, store, runtime, base } = await withTable();
    const latest = await set(operations, await set(operations, base, 'a'), 'b');
    const location = `${DIRECTORY}/version-hint.text`;
    await (hint === null ? store.delete([location]) : store.write(location, bytes(hint)));
    const other = new FileSystemTableOperations(ROOT, store, { runtime });
    expect((await other.load()).metadataLocation).toBe(latest.metadataLocation);
  });

  test('is one by number, not by text', async () => {
    const { operations, store, base } = await withTable();
    let latest = base;
    for (let index = 0; index < 11; index++) latest = await set(operations, latest, `k${index}`);
    await store.delete([`${DIRECTORY}/version-hint.text`]);
    expect((await operations.load()).metadataLocation).toBe(`${DIRECTORY}/v12.metadata.json`);
  });

  test.each(['v2.gz.metadata.json', 'v2.metadata.json.gz'])('may be compressed: %s', async (name) => {
    const { operations, store, base } = await withTable();
    const compressed = serializeTableMetadata({ ...base.metadata, properties: { from: 'java' } });
    await store.write(`${DIRECTORY}/${name}`, gzipSync(compressed));
    for (const hint of ['1', '2']) {
      await store.write(`${DIRECTORY}/version-hint.text`, bytes(hint));
      expect((await operations.load()).metadata.properties).toEqual({ from: 'java' });
    }
    // A commit to a handle of version 1 goes on from version 2, and is not compressed.
    const next = await set(operations, base, 'a');
    expect(next.metadataLocation).toBe(`${DIRECTORY}/v3.metadata.json`);
    expect(next.metadata.properties).toEqual({ from: 'java', a: 'x' });
    expect(JSON.parse(text(await store.read(next.metadataLocation)))).toMatchObject({ 'table-uuid': UUID });
  });

  test('is not an old one that a stalled writer made anew', async () => {
    const { operations, store, runtime, base } = await withTable();
    let latest = base;
    for (let index = 0; index < 5; index++) latest = await set(operations, latest, `k${index}`);
    const stale = await store.read(`${DIRECTORY}/v3.metadata.json`);
    await store.delete([1, 2, 3, 4].map((version) => `${DIRECTORY}/v${version}.metadata.json`));
    await store.write(`${DIRECTORY}/v3.metadata.json`, stale);
    await store.write(`${DIRECTORY}/version-hint.text`, bytes('3'));
    const other = new FileSystemTableOperations(ROOT, store, { runtime });
    expect((await other.load()).metadataLocation).toBe(latest.metadataLocation);
  });

  test('no metadata is NOT_FOUND', async () => {
    await expect(world().operations.load()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('metadata that can not be read is INVALID_DATA, and nothing is committed on top of it', async () => {
    const { operations, store, base } = await withTable();
    const location = `${DIRECTORY}/v2.metadata.json`;
    await store.write(location, (await store.read(base.metadataLocation)).slice(0, 100));
    await expect(operations.load()).rejects.toMatchObject({ code: 'INVALID_DATA' });
    await expect(set(operations, base, 'a')).rejects.toMatchObject({ code: 'INVALID_DATA' });
    expect(await names(store)).toEqual(['v1.metadata.json', 'v2.metadata.json', 'version-hint.text']);
  });
});

describe('what is refused', () => {
  test('write.metadata.path, moving, and the mark of dropped tables', async () => {
    const { operations, store, base } = await withTable();
    const update = (updates: Record<string, string>): Promise<LoadedMetadata> =>
      operations.commit(base, [], [{ action: 'set-properties', updates }]);
    await expect(update({ 'write.metadata.path': '/x' })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(update({ [DROPPED_AT]: '1' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const moved = operations.commit(base, [], [{ action: 'set-location', location: `${ROOT}2` }]);
    await expect(moved).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    const created = world().operations.create(newTable({ 'write.metadata.path': '/x' }));
    await expect(created).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect(await names(store)).toEqual(['v1.metadata.json', 'version-hint.text']);
  });

  test('a requirement that does not hold for the newest version, whatever the base', async () => {
    const { operations, base } = await withTable();
    const wrongUuid = operations.commit(base, [{ type: 'assert-table-uuid', uuid: 'other' }], []);
    await expect(wrongUuid).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' });
    await operations.commit(base, [], [{ action: 'add-schema', schema: schema({ id: t.long(), more: t.int() }) }]);
    const requirement = { type: 'assert-last-assigned-field-id', lastAssignedFieldId: 1 } as const;
    const stale = operations.commit(base, [requirement], [{ action: 'set-properties', updates: { a: 'b' } }]);
    await expect(stale).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' });
  });

  test("commits to another catalog's table; the newest metadata is read", async () => {
    const { operations, store } = world();
    const write = (name: string, a: string, lastUpdatedMs: number): Promise<unknown> =>
      store.write(`${DIRECTORY}/${name}`, serializeTableMetadata({ ...newTable({ a }), lastUpdatedMs }));
    await write('00000-aaaa.metadata.json', 'first', 1);
    await write('00002-bbbb.metadata.json', 'failed commit', 5);
    await write('00002-cccc.metadata.json', 'latest', 7);
    const base = await operations.load();
    expect(base.metadata.properties['a']).toBe('latest');
    expect(operations.readOnly).toContain('another catalog');
    await expect(set(operations, base, 'x')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(operations.create(newTable())).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await store.write(`${DIRECTORY}/version-hint.text`, bytes('00002-bbbb'));
    expect((await operations.load()).metadata.properties['a']).toBe('failed commit');
  });

  test('commits to a copy; a mapping makes it the table itself', async () => {
    const { store, runtime, base } = await withTable();
    await store.write('/copy/metadata/v1.metadata.json', await store.read(base.metadataLocation));
    const copy = new FileSystemTableOperations('/copy', store, { runtime });
    const loaded = await copy.load();
    expect(copy.readOnly).toContain('copy');
    await expect(set(copy, loaded, 'a')).rejects.toMatchObject({ code: 'UNSUPPORTED' });

    const mapped = new FileSystemTableOperations(ROOT, new MappedFileIO(store, { [`${ROOT}/`]: '/copy/' }), {
      runtime,
    });
    await set(mapped, await mapped.load(), 'a');
    expect(mapped.readOnly).toBeNull();
    expect(await store.stat('/copy/metadata/v2.metadata.json')).not.toBeNull();
    expect(await names(store)).toEqual(['v1.metadata.json', 'version-hint.text']);
  });

  test('a store that declares no conditional create can be read', async () => {
    const { store, runtime } = await withTable();
    const capabilities = { ...store.capabilities, conditionalCreate: false };
    const weak = Object.assign(new MappedFileIO(store, {}), { capabilities });
    const operations = new FileSystemTableOperations(ROOT, weak, { runtime });
    const base = await operations.load();
    expect(operations.readOnly).toContain('conditional create');
    await expect(set(operations, base, 'a')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  test('a store that only pretends is found out before the first commit, not when opening', async () => {
    const { store, runtime } = await withTable();
    class Pretender extends MappedFileIO {
      override write(location: string, data: Uint8Array): ReturnType<MappedFileIO['write']> {
        return super.write(location, data);
      }
    }
    const operations = new FileSystemTableOperations(ROOT, new Pretender(store, {}), { runtime });
    const base = await operations.load();
    const error = { code: 'UNSUPPORTED', message: expect.stringContaining('replaces files') };
    await expect(set(operations, base, 'a')).rejects.toMatchObject(error);
    await expect(set(operations, base, 'a')).rejects.toMatchObject(error);
    expect(await names(store)).toEqual(['v1.metadata.json', 'version-hint.text']);
  });

  test('loading writes nothing, and the probe runs once', async () => {
    const { store, runtime } = await withTable();
    const io = new FaultInjectingFileIO(store, { runtime });
    const operations = new FileSystemTableOperations(ROOT, io, { runtime });
    let base = await operations.load();
    expect(io.calls.filter((call) => ['write', 'delete'].includes(call.operation))).toEqual([]);
    base = await set(operations, base, 'a');
    await set(operations, base, 'b');
    expect(io.calls.filter((call) => call.location.includes('/probe-') && call.operation === 'write')).toHaveLength(2);
    expect((await names(store)).filter((name) => name.includes('probe'))).toEqual([]);
  });
});

describe('failures of the store', () => {
  test('an answer that is lost is looked up: the commit has happened', async () => {
    const made = await withTable();
    const operations = faulty(made, { fault: 'fail-after', operations: ['write'], when: isClaim, times: 1 });
    const base = await operations.load();
    const next = await settle(made.runtime, () => set(operations, base, 'a'));
    expect(next.metadataLocation).toBe(`${DIRECTORY}/v2.metadata.json`);
    expect(await names(made.store)).toEqual(['v1.metadata.json', 'v2.metadata.json', 'version-hint.text']);
  });

  test('what can be read back, but the store never says is there, may not last', async () => {
    const made = await withTable();
    const rules = [
      { operations: ['write'], when: isClaim, fault: 'fail-after', times: 1 },
      { operations: ['write'], when: isClaim, fault: 'fail-before' },
    ] as const;
    // Of a disk: what is synced to the directory later takes it along.
    const operations = faulty(made, ...rules);
    const base = await operations.load();
    const next = await settle(made.runtime, () => set(operations, base, 'a'));
    expect(next.metadataLocation).toBe(`${DIRECTORY}/v2.metadata.json`);
    const others = faulty(made, ...rules, {
      operations: ['write'],
      when: ({ location }) => location.endsWith('/version-hint.text'),
      fault: 'fail-before',
    });
    const later = await others.load();
    const unknown = settle(made.runtime, () => set(others, later, 'b'));
    await expect(unknown).rejects.toMatchObject({ code: 'COMMIT_STATE_UNKNOWN', retryable: false });
    expect((await made.operations.load()).metadata.properties).toMatchObject({ a: 'x', b: 'x' });
  });

  test('an answer that is lost may hide that another writer won', async () => {
    const made = await withTable();
    const operations = faulty(made, { fault: 'fail-after', operations: ['write'], when: isClaim, times: 1 });
    const base = await operations.load();
    const theirs = bytes('{"theirs": true}');
    const racing = faulty(made, {
      fault: 'fail-before',
      operations: ['write'],
      when: (call) => {
        // Just before our claim, another writer's arrives.
        if (isClaim(call)) void made.store.write(call.location, theirs);
        return false;
      },
    });
    const lost = settle(made.runtime, async () => set(racing, await racing.load(), 'a'));
    await expect(lost).rejects.toMatchObject({ code: 'COMMIT_CONFLICT', retryable: true });
    await made.store.delete([`${DIRECTORY}/v2.metadata.json`]);
    await made.store.write(`${DIRECTORY}/v2.metadata.json`, await made.store.read(base.metadataLocation));
    const later = settle(made.runtime, () =>
      operations.commit(base, [], [{ action: 'set-properties', updates: { b: 'x' } }]),
    );
    expect((await later).metadataLocation).toBe(`${DIRECTORY}/v3.metadata.json`);
  });

  test('a conflict of a request that was sent twice by the client is no conflict', async () => {
    const made = await withTable();
    // The first delivery won; what the caller sees is the answer to the second.
    const exists = new LakehouseError('ALREADY_EXISTS', 'It exists.');
    const operations = faulty(made, { fault: 'fail-after', operations: ['write'], when: isClaim, error: () => exists });
    const next = await set(operations, await operations.load(), 'a');
    expect(next.metadataLocation).toBe(`${DIRECTORY}/v2.metadata.json`);
  });

  test('what can not be read back is COMMIT_STATE_UNKNOWN', async () => {
    const made = await withTable();
    const down: { now: boolean } = { now: false };
    const operations = faulty(made, {
      fault: 'fail-before',
      when: (call) => {
        down.now ||= isClaim(call);
        return down.now;
      },
    });
    const base = await operations.load();
    const unknown = settle(made.runtime, () => set(operations, base, 'a'));
    await expect(unknown).rejects.toMatchObject({ code: 'COMMIT_STATE_UNKNOWN', retryable: false });
    expect(await names(made.store)).toEqual(['v1.metadata.json', 'version-hint.text']);
  });

  test('a request that is still on its way is no conflict, although nothing is there yet', async () => {
    const made = await withTable();
    const operations = faulty(made, { fault: 'fail-late', operations: ['write'], when: isClaim, delayMs: 1e6 });
    const base = await operations.load();
    await expect(settle(made.runtime, () => set(operations, base, 'a'))).rejects.toMatchObject({
      code: 'COMMIT_STATE_UNKNOWN',
    });
    await made.runtime.run([() => made.runtime.sleep(1e6)]);
    expect((await made.operations.load()).metadata.properties).toEqual({ a: 'x' });
  });

  test.each(['RESOURCE_EXHAUSTED', 'UNAUTHORIZED'] as const)('a refusal is final: %s', async (code) => {
    const made = await withTable();
    const refusal = new LakehouseError(code, 'No.');
    const operations = faulty(made, {
      fault: 'fail-before',
      operations: ['write'],
      when: isClaim,
      error: () => refusal,
    });
    const base = await operations.load();
    await expect(set(operations, base, 'a')).rejects.toBe(refusal);
    // After a lost answer a refusal says nothing about the first request.
    const doubtful = faulty(
      made,
      { fault: 'fail-after', operations: ['write'], when: isClaim, times: 1 },
      { fault: 'fail-before', operations: ['write'], when: isClaim, error: () => refusal },
    );
    const next = await settle(made.runtime, async () => set(doubtful, await doubtful.load(), 'b'));
    expect(next.metadata.properties).toEqual({ b: 'x' });
  });

  test('a hint that can not be written fails no commit', async () => {
    const made = await withTable();
    const rule: FaultRule = {
      fault: 'fail-before',
      operations: ['write'],
      when: (call) => call.location.endsWith('.text'),
    };
    const operations = faulty(made, rule);
    await set(operations, await operations.load(), 'a');
    expect(text(await made.store.read(`${DIRECTORY}/version-hint.text`))).toBe('1');
    expect((await operations.load()).metadata.properties).toEqual({ a: 'x' });
  });
});

describe('stalled writers', () => {
  const trimmed = {
    'write.metadata.delete-after-commit.enabled': 'true',
    'write.metadata.previous-versions-max': '2',
  };

  test('old versions are trimmed when they have left the log and are old enough', async () => {
    const { operations, store, runtime, base } = await withTable(trimmed);
    let latest = base;
    for (let index = 0; index < 4; index++) latest = await set(operations, latest, `k${index}`);
    expect(await names(store)).toHaveLength(6);
    runtime.advance(3_600_000);
    latest = await set(operations, latest, 'later');
    expect(await names(store)).toEqual([
      'v4.metadata.json',
      'v5.metadata.json',
      'v6.metadata.json',
      'version-hint.text',
    ]);
    expect(latest.metadata.metadataLog).toHaveLength(2);
    expect((await operations.load()).metadataLocation).toBe(latest.metadataLocation);
  });

  test('without the property nothing is trimmed', async () => {
    const { operations, store, runtime, base } = await withTable({ 'write.metadata.previous-versions-max': '1' });
    let latest = base;
    for (let index = 0; index < 3; index++) {
      runtime.advance(3_600_000);
      latest = await set(operations, latest, `k${index}`);
    }
    expect(await names(store)).toHaveLength(5);
  });

  test('a version that was trimmed can not be made a second time', async () => {
    const made = await withTable(trimmed);
    const { operations, runtime, store, base } = made;
    const stalled = new FileSystemTableOperations(
      ROOT,
      new FaultInjectingFileIO(store, {
        runtime,
        rules: [{ fault: 'delay', operations: ['write'], when: isClaim, delayMs: 1e9 }],
      }),
      { runtime },
    );
    const [slow, fast] = await runtime.run([
      async () => set(stalled, await stalled.load(), 'slow'),
      async () => {
        await runtime.sleep(1);
        let latest = base;
        for (let index = 0; index < 4; index++) {
          await runtime.sleep(3_600_000);
          latest = await set(operations, latest, `k${index}`);
        }
        return latest;
      },
    ]);
    expect(fast?.status).toBe('fulfilled');
    expect(slow).toMatchObject({ status: 'rejected', reason: { code: 'COMMIT_CONFLICT' } });
    expect(await names(store)).toEqual([
      'v3.metadata.json',
      'v4.metadata.json',
      'v5.metadata.json',
      'version-hint.text',
    ]);
    expect((await operations.load()).metadata.properties).not.toHaveProperty('slow');
  });

  test('a late hint is put right', async () => {
    const { operations, runtime, store, base } = await withTable();
    const slowHint = new FileSystemTableOperations(
      ROOT,
      new FaultInjectingFileIO(store, {
        runtime,
        rules: [
          {
            fault: 'delay',
            operations: ['write'],
            when: (call) => call.location.endsWith('.text'),
            delayMs: 1e6,
            times: 1,
          },
        ],
      }),
      { runtime },
    );
    await runtime.run([
      async () => set(slowHint, await slowHint.load(), 'slow'),
      async () => {
        await runtime.sleep(1);
        return set(operations, await set(operations, base, 'a'), 'b');
      },
    ]);
    expect(text(await store.read(`${DIRECTORY}/version-hint.text`))).toBe('4');
  });
});

describe('dropping', () => {
  test('a drop is one more version; what is created later goes on counting', async () => {
    const { operations, store, base } = await withTable();
    await operations.drop(await set(operations, base, 'a'));
    await expect(operations.load()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(set(operations, base, 'b')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await names(store)).toEqual([
      'v1.metadata.json',
      'v2.metadata.json',
      'v3.metadata.json',
      'version-hint.text',
    ]);
    const fresh = await operations.create({ ...newTable(), tableUuid: 'fresh' });
    expect(fresh.metadataLocation).toBe(`${DIRECTORY}/v4.metadata.json`);
    expect((await operations.load()).metadata.tableUuid).toBe('fresh');
  });

  test('of a drop and a commit at once, the second is refused', async () => {
    const made = await withTable();
    const [one, two] = [faulty(made), faulty(made)];
    const [base, other] = [await one.load(), await two.load()];
    await one.drop(base);
    await expect(set(two, other, 'a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('one metadata file', () => {
  test('is a table that can only be read', async () => {
    const { operations, store, base } = await withTable();
    await set(operations, base, 'a');
    const fixed = staticTableOperations(base.metadataLocation, store);
    const loaded = await fixed.load();
    expect(loaded).toEqual(base);
    expect(fixed.readOnly).not.toBeNull();
    await expect(fixed.commit(loaded, [], [])).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});
