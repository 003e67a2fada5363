import { LakehouseError } from '../errors.ts';
import type { FileIO } from '../io/file-io.ts';
import { listDirectories } from '../io/list-directories.ts';
import { check, checkBytes, checkEqual, checkRejects, collect, type ConformanceCase } from './check.ts';

/** A FileIO and a place in it that is writable and empty. */
export interface FileIOSubject {
  readonly io: FileIO;
  /** A location without a slash at its end. */
  readonly root: string;
}

type Run = (subject: FileIOSubject) => Promise<void>;

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

async function* chunks(...parts: Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* parts;
}

async function listed(io: FileIO, prefix: string): Promise<string[]> {
  return (await collect(io.list(prefix))).map((file) => file.location).toSorted();
}

const CONTENT = text('0123456789');

const WRITING: Record<string, Run> = {
  'a file that was written is read back whole': async ({ io, root }) => {
    const location = `${root}/a/b/c.bin`;
    const written = await io.write(location, CONTENT);
    checkEqual([written.location, written.size], [location, 10], 'what write returns');
    checkBytes(await io.read(location), CONTENT, 'the file');
  },
  'an empty file is a file': async ({ io, root }) => {
    await io.write(`${root}/empty`, new Uint8Array(0));
    checkEqual((await io.read(`${root}/empty`)).length, 0, 'bytes read');
    checkEqual((await io.stat(`${root}/empty`))?.size, 0, 'size');
  },
  'a stream of chunks is written as one file': async ({ io, root }) => {
    const big = Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * 31) & 0xff);
    const stat = await io.write(`${root}/stream`, chunks(big.subarray(0, 7), big.subarray(7, 7), big.subarray(7)));
    checkEqual(stat.size, big.length, 'size');
    checkBytes(await io.read(`${root}/stream`), big, 'the file');
  },
  'writing again replaces the file': async ({ io, root }) => {
    await io.write(`${root}/f`, text('the first and longer one'));
    await io.write(`${root}/f`, text('second'));
    checkBytes(await io.read(`${root}/f`), text('second'), 'the file');
    checkEqual((await listed(io, `${root}/`)).length, 1, 'number of files');
  },
  'a stream that fails leaves nothing behind': async ({ io, root }) => {
    await io.write(`${root}/kept`, CONTENT);
    for (const name of ['kept', 'new']) {
      const failing = (async function* () {
        yield text('half');
        throw new LakehouseError('INVALID_DATA', 'The source broke.');
      })();
      await checkRejects(io.write(`${root}/${name}`, failing), 'INVALID_DATA', `writing ${name}`);
    }
    checkBytes(await io.read(`${root}/kept`), CONTENT, 'the file that was there before');
    checkEqual(await listed(io, `${root}/`), [`${root}/kept`], 'files');
  },
  'nobody sees a file before its stream has ended': async ({ io, root }) => {
    const watched = (async function* () {
      yield text('half');
      checkEqual(await io.stat(`${root}/w`), null, 'stat in the middle of the write');
      checkEqual(await listed(io, `${root}/`), [], 'list in the middle of the write');
      yield text('whole');
    })();
    await io.write(`${root}/w`, watched);
    checkBytes(await io.read(`${root}/w`), text('halfwhole'), 'the file');
  },
  'bytes given and bytes returned are copies': async ({ io, root }) => {
    const given = CONTENT.slice();
    await io.write(`${root}/copy`, given);
    given.fill(0);
    (await io.read(`${root}/copy`)).fill(0);
    checkBytes(await io.read(`${root}/copy`), CONTENT, 'the file');
  },
  'an aborted write leaves nothing': async ({ io, root }) => {
    const abort = new AbortController();
    const stream = (async function* () {
      yield text('half');
      abort.abort();
      yield text('whole');
    })();
    await checkRejects(io.write(`${root}/x`, stream, { signal: abort.signal }), 'ABORTED', 'the write');
    await checkRejects(io.write(`${root}/x`, CONTENT, { signal: abort.signal }), 'ABORTED', 'a write aborted before');
    checkEqual(await listed(io, `${root}/`), [], 'files');
  },
};

const CONDITIONAL: Record<string, Run> = {
  'ifNoneMatch creates a file once': async ({ io, root }) => {
    if (!io.capabilities.conditionalCreate) return;
    await io.write(`${root}/d/once`, CONTENT, { ifNoneMatch: true });
    const again = io.write(`${root}/d/once`, text('again'), { ifNoneMatch: true });
    const error = await checkRejects(again, 'ALREADY_EXISTS', 'the second write');
    check(!error.retryable, 'ALREADY_EXISTS must not call itself retryable');
    const streamed = io.write(`${root}/d/once`, chunks(text('again')), { ifNoneMatch: true });
    await checkRejects(streamed, 'ALREADY_EXISTS', 'a streamed write');
    checkBytes(await io.read(`${root}/d/once`), CONTENT, 'the file');
  },
  'of racing ifNoneMatch writers exactly one wins, and its bytes are there': async ({ io, root }) => {
    if (!io.capabilities.conditionalCreate) return;
    for (let round = 0; round < 5; round++) {
      const writers = Array.from({ length: 8 }, (_, index) => text(`writer ${index} `.repeat(1000 + index)));
      const results = await Promise.allSettled(
        writers.map((bytes, index) =>
          io.write(`${root}/race-${round}`, index % 2 ? bytes : chunks(bytes), { ifNoneMatch: true }),
        ),
      );
      const winners = results.flatMap((result, index) => (result.status === 'fulfilled' ? [index] : []));
      checkEqual(winners.length, 1, 'number of winners');
      checkBytes(await io.read(`${root}/race-${round}`), writers[winners[0]!]!, "the winner's file");
      for (const result of results) {
        if (result.status === 'rejected') {
          await checkRejects(Promise.reject(result.reason), 'ALREADY_EXISTS', 'a loser');
        }
      }
    }
  },
  'a deleted file can be created again': async ({ io, root }) => {
    if (!io.capabilities.conditionalCreate) return;
    await io.write(`${root}/f`, CONTENT, { ifNoneMatch: true });
    await io.delete([`${root}/f`]);
    await io.write(`${root}/f`, text('new'), { ifNoneMatch: true });
    checkBytes(await io.read(`${root}/f`), text('new'), 'the file');
  },
};

const REPLACING: Record<string, Run> = {
  'ifMatch replaces the file that is known, and no other': async ({ io, root }) => {
    const first = await io.write(`${root}/f`, CONTENT);
    if (!io.capabilities.conditionalReplace) {
      await checkRejects(io.write(`${root}/f`, CONTENT, { ifMatch: first.etag ?? 'x' }), 'UNSUPPORTED', 'the write');
      return;
    }
    const etag = first.etag ?? '';
    check(etag !== '', 'a store that replaces on condition must give etags');
    checkEqual((await io.stat(`${root}/f`))?.etag, etag, 'etag of stat');
    checkEqual((await collect(io.list(`${root}/f`)))[0]?.etag, etag, 'etag of list');
    const second = await io.write(`${root}/f`, text('second'), { ifMatch: etag });
    check(second.etag !== etag, 'another content must have another etag');
    const stale = await checkRejects(
      io.write(`${root}/f`, text('third'), { ifMatch: etag }),
      'COMMIT_CONFLICT',
      'a write on a file that is gone',
    );
    check(!stale.retryable, 'a file that was replaced does not come back');
    await checkRejects(io.write(`${root}/none`, CONTENT, { ifMatch: etag }), 'COMMIT_CONFLICT', 'a write on no file');
    checkBytes(await io.read(`${root}/f`), text('second'), 'the file');
    checkEqual(await io.stat(`${root}/none`), null, 'a file that was not there');
  },
  'of racing ifMatch writers exactly one wins': async ({ io, root }) => {
    if (!io.capabilities.conditionalReplace) return;
    const { etag = '' } = await io.write(`${root}/f`, CONTENT);
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => io.write(`${root}/f`, text(`writer ${index}`), { ifMatch: etag })),
    );
    const winners = results.flatMap((result, index) => (result.status === 'fulfilled' ? [index] : []));
    checkEqual(winners.length, 1, 'number of winners');
    checkBytes(await io.read(`${root}/f`), text(`writer ${winners[0]}`), "the winner's file");
  },
};

const READING: Record<string, Run> = {
  'ranges of a file are read': async ({ io, root }) => {
    const location = `${root}/ranges`;
    await io.write(location, CONTENT);
    const cases: [{ offset?: number; length?: number }, string][] = [
      [{ offset: 3, length: 4 }, '3456'],
      [{ offset: 7 }, '789'],
      [{ length: 2 }, '01'],
      [{ offset: 0, length: 10 }, '0123456789'],
      [{ offset: -3 }, '789'],
      [{ offset: -3, length: 2 }, '78'],
      [{ offset: -99 }, '0123456789'],
      [{ offset: 4, length: 0 }, ''],
      [{ offset: 10 }, ''],
      [{ offset: 10, length: 0 }, ''],
    ];
    for (const [range, expected] of cases) {
      const bytes = await io.read(location, range);
      checkEqual(new TextDecoder().decode(bytes), expected, `range ${JSON.stringify(range)}`);
    }
  },
  'a range that the file does not have is INVALID_ARGUMENT': async ({ io, root }) => {
    await io.write(`${root}/f`, CONTENT);
    const ranges = [
      { offset: 11 },
      { offset: 8, length: 3 },
      { length: 11 },
      { offset: -2, length: 3 },
      { offset: 0, length: -1 },
      { offset: 0.5 },
      { offset: Number.NaN },
    ];
    for (const range of ranges) {
      await checkRejects(io.read(`${root}/f`, range), 'INVALID_ARGUMENT', `range ${JSON.stringify(range)}`);
    }
  },
  'a file that is not there is NOT_FOUND to read and null to stat': async ({ io, root }) => {
    await io.write(`${root}/dir/f`, CONTENT);
    for (const name of ['none', 'dir', 'dir/none', 'no/such/dir/f', 'dir/f/below']) {
      const error = await checkRejects(io.read(`${root}/${name}`), 'NOT_FOUND', `reading '${name}'`);
      check(error.message.includes(name), `the message should name the file: ${error.message}`);
      await checkRejects(io.read(`${root}/${name}`, { offset: 0, length: 1 }), 'NOT_FOUND', `a range of '${name}'`);
      checkEqual(await io.stat(`${root}/${name}`), null, `stat of '${name}'`);
    }
  },
  'stat gives the location as it was asked for, and the size': async ({ io, root }) => {
    await io.write(`${root}/s`, CONTENT);
    const stat = await io.stat(`${root}/s`);
    checkEqual([stat?.location, stat?.size], [`${root}/s`, 10], 'stat');
    const modified = stat?.lastModifiedMs;
    check(modified === undefined || Number.isFinite(modified), 'lastModifiedMs must be a number if it is given');
  },
  'many reads at once': async ({ io, root }) => {
    await io.write(`${root}/f`, CONTENT);
    const reads = Array.from({ length: 50 }, (_, index) => io.read(`${root}/f`, { offset: index % 10, length: 1 }));
    const digits = (await Promise.all(reads)).map((bytes) => new TextDecoder().decode(bytes));
    checkEqual(digits.join(''), '0123456789'.repeat(5), 'digits');
  },
  'an aborted call is ABORTED': async ({ io, root }) => {
    await io.write(`${root}/f`, CONTENT);
    const signal = AbortSignal.abort();
    await checkRejects(io.read(`${root}/f`, { signal }), 'ABORTED', 'read');
    await checkRejects(io.stat(`${root}/f`, { signal }), 'ABORTED', 'stat');
    await checkRejects(collect(io.list(`${root}/`, { signal })), 'ABORTED', 'list');
    await checkRejects(io.delete([`${root}/f`], { signal }), 'ABORTED', 'delete');
    check((await io.stat(`${root}/f`)) !== null, 'an aborted delete must not delete');
  },
};

const LISTING: Record<string, Run> = {
  'list is flat and goes by the text of the prefix': async ({ io, root }) => {
    const names = ['a/1', 'a/2', 'a/deep/er/3', 'ab', 'ab-c/4', 'b', 'a.txt'];
    await Promise.all(names.map((name) => io.write(`${root}/${name}`, text(name))));
    const prefixes = ['', 'a', 'a/', 'a/deep', 'a/deep/er/', 'ab', 'ab-', 'a/1', 'b', 'b/', 'none', 'none/', 'a/none/'];
    for (const prefix of prefixes) {
      const expected = names.filter((name) => name.startsWith(prefix)).map((name) => `${root}/${name}`);
      checkEqual(await listed(io, `${root}/${prefix}`), expected.toSorted(), `files under '${prefix}'`);
    }
    const sizes = (await collect(io.list(`${root}/`))).map((file) => file.size).toSorted((a, b) => a - b);
    checkEqual(
      sizes,
      names.map((name) => name.length).toSorted((a, b) => a - b),
      'sizes',
    );
  },
  'a prefix does not reach into a sibling with a longer name': async ({ io, root }) => {
    await io.write(`${root}/table/f`, CONTENT);
    await io.write(`${root}/table2/f`, CONTENT);
    checkEqual(await listed(io, `${root}/table/`), [`${root}/table/f`], 'with a slash');
    checkEqual((await listed(io, `${root}/table`)).length, 2, 'without a slash it is text only');
  },
  'a listing has no limit': async ({ io, root }) => {
    const names = Array.from({ length: 1100 }, (_, index) => `${root}/many/${index % 7}/${index}`);
    for (let start = 0; start < names.length; start += 100) {
      await Promise.all(names.slice(start, start + 100).map((name) => io.write(name, new Uint8Array(1))));
    }
    checkEqual(await listed(io, `${root}/many/`), [...names].toSorted(), 'all files');
  },
  'the directories of one level': async ({ io, root }) => {
    for (const name of ['x/1/f', 'x/1/g', 'x/2/deep/f', 'x/file', 'xy/f', 'x%2F/f']) {
      await io.write(`${root}/${name}`, CONTENT);
    }
    checkEqual(await listDirectories(io, root), ['x', 'x%2F', 'xy'], 'below the root');
    checkEqual(await listDirectories(io, `${root}/x`), ['1', '2'], 'below x');
    checkEqual(await listDirectories(io, `${root}/x/`), ['1', '2'], 'below x/');
    checkEqual(await listDirectories(io, `${root}/x/1`), [], 'below x/1');
    checkEqual(await listDirectories(io, `${root}/none`), [], 'below nothing');
  },
  'listing can stop early': async ({ io, root }) => {
    await Promise.all(['1', '2', '3'].map((name) => io.write(`${root}/${name}`, CONTENT)));
    let seen = 0;
    for await (const file of io.list(`${root}/`)) {
      check(file.size === 10, 'size of a listed file');
      if (++seen === 1) break;
    }
    checkEqual(seen, 1, 'files seen');
  },
};

const NAMES: Record<string, Run> = {
  'names are opaque: nothing is decoded, encoded or normalised': async ({ io, root }) => {
    const names = [
      'city=S%C3%A3o%20Paulo/f',
      'city=São Paulo/f',
      '100%',
      '%2F',
      'a+b',
      'a b',
      'q?x=1',
      'h#frag',
      '[x]*{y}',
      'quote\'"',
      'semi;colon&amp',
      'käse',
      'ka\u0308se',
      '日本/語',
      '..dots..',
      '.hidden',
      'tilde~',
      'back\\slash',
    ];
    await Promise.all(names.map((name) => io.write(`${root}/n/${name}`, text(name))));
    for (const name of names) {
      checkEqual(new TextDecoder().decode(await io.read(`${root}/n/${name}`)), name, `content of '${name}'`);
      checkEqual((await io.stat(`${root}/n/${name}`))?.location, `${root}/n/${name}`, `stat of '${name}'`);
      checkEqual(await listed(io, `${root}/n/${name}`), [`${root}/n/${name}`], `list of '${name}'`);
    }
    const all = names.map((name) => `${root}/n/${name}`).toSorted();
    checkEqual(await listed(io, `${root}/n/`), all, 'list of all');
    checkEqual((await io.delete(all)).deleted.length, all.length, 'deleted');
    checkEqual(await listed(io, `${root}/n/`), [], 'what is left');
  },
};

const DELETING: Record<string, Run> = {
  'delete takes what is named and nothing else': async ({ io, root }) => {
    for (const name of ['a/1', 'a/10', 'a/2', 'b']) await io.write(`${root}/${name}`, CONTENT);
    const result = await io.delete([`${root}/a/1`, `${root}/b`]);
    checkEqual([...result.deleted].toSorted(), [`${root}/a/1`, `${root}/b`], 'deleted');
    checkEqual(result.failed.length, 0, 'failures');
    checkEqual(await listed(io, `${root}/`), [`${root}/a/10`, `${root}/a/2`], 'what is left');
  },
  'a file that is not there counts as deleted': async ({ io, root }) => {
    await io.write(`${root}/f`, CONTENT);
    const names = ['none', 'no/dir/f', 'f/below', 'f'].map((name) => `${root}/${name}`);
    const result = await io.delete(names);
    checkEqual([...result.deleted].toSorted(), [...names].toSorted(), 'deleted');
    checkEqual(result.failed.length, 0, 'failures');
    checkEqual((await io.delete([])).deleted, [], 'deleting nothing');
  },
  'deleting a name that only has files below it deletes none of them': async ({ io, root }) => {
    await io.write(`${root}/dir/f`, CONTENT);
    await io.delete([`${root}/dir`]);
    checkEqual(await listed(io, `${root}/`), [`${root}/dir/f`], 'what is left');
  },
  'many files are deleted at once, whatever the batch size of the store': async ({ io, root }) => {
    const names = Array.from({ length: 1050 }, (_, index) => `${root}/d/${index}`);
    for (let start = 0; start < names.length; start += 100) {
      await Promise.all(names.slice(start, start + 100).map((name) => io.write(name, new Uint8Array(1))));
    }
    const result = await io.delete(names);
    checkEqual([result.deleted.length, result.failed.length], [1050, 0], 'deleted and failed');
    checkEqual(await listed(io, `${root}/d/`), [], 'what is left');
  },
};

/**
 * What every FileIO has to do, as data for any test runner. `make` gives a fresh, empty place each time; the caller
 * removes it. Conditional cases pass at once for a store that does not declare `conditionalCreate`, and those of
 * `conditionalReplace` then only see to it that the store refuses.
 */
export const fileIOConformance: readonly ConformanceCase<FileIOSubject>[] = [
  WRITING,
  CONDITIONAL,
  REPLACING,
  READING,
  LISTING,
  NAMES,
  DELETING,
].flatMap((group) => Object.entries(group).map(([name, run]) => ({ name, run: async (make) => run(await make()) })));
