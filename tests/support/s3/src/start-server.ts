import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { deleteBucket, listBuckets, newBucket } from './buckets.ts';
import { type FoundServer, findMinio, findServer } from './find-server.ts';
import type { S3Place } from './place.ts';
import { signedRequest } from './signed-request.ts';

/** An S3 server that runs. */
export interface S3Server extends S3Place {
  /** Creates an empty bucket, with a name of its own if none is given. Returns the name. */
  newBucket(name?: string): Promise<string>;
  /** Ends the server and deletes its data; of one that ran before, the buckets with names of their own. */
  stop(): Promise<void>;
}

/** MinIO in a process of its own. */
export interface MinioServer extends S3Server {
  /** Ends it as a crash does. Its data stays. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, where it was. */
  restart(): Promise<void>;
}

const SUPERVISOR = fileURLToPath(new URL('../supervise.mjs', import.meta.url));
const PATIENCE_MS = 60_000;
const TRIES = 5;

/**
 * Starts MinIO on a free port of this machine alone, with keys and an empty folder of its own, or takes the server that
 * LH_S3_ENDPOINT names. It ends with this process at the latest, however that ends. `S3ServerMissing` where none can be had.
 */
export async function startS3Server(): Promise<S3Server> {
  const found = await findServer();
  return found.kind === 'endpoint' ? givenServer(found.place) : start(found);
}

/** Starts MinIO, also where LH_S3_ENDPOINT names a server: for who wants to kill it. */
export async function startMinio(): Promise<MinioServer> {
  return start(await findMinio());
}

async function start(found: LocalServer): Promise<MinioServer> {
  for (let attempt = 1; ; attempt++) {
    const server = new Minio(found, await freePort(), await mkdtemp(join(tmpdir(), 'lakehouse-minio-')));
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server.stop();
      // Another process may have taken the port meanwhile.
      if (attempt === TRIES) throw error;
    }
  }
}

type LocalServer = Exclude<FoundServer, { kind: 'endpoint' }>;

class Minio implements MinioServer {
  readonly endpoint: string;
  readonly accessKeyId = `lakehouse-${randomBytes(4).toString('hex')}`;
  readonly secretAccessKey = randomBytes(20).toString('hex');
  readonly region = 'us-east-1';
  readonly bucketPrefix = 'lh-';
  readonly #found: LocalServer;
  readonly #port: number;
  readonly #folder: string;
  #supervisor: ChildProcess | null = null;
  #output = '';

  constructor(found: LocalServer, port: number, folder: string) {
    this.#found = found;
    this.#port = port;
    this.#folder = folder;
    this.endpoint = `http://127.0.0.1:${port}`;
  }

  newBucket(name?: string): Promise<string> {
    return newBucket(this, name);
  }

  async restart(): Promise<void> {
    const supervisor = spawn(process.execPath, [SUPERVISOR, JSON.stringify(this.#work())], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        MINIO_ROOT_USER: this.accessKeyId,
        MINIO_ROOT_PASSWORD: this.secretAccessKey,
        MINIO_BROWSER: 'off',
        MINIO_UPDATE: 'off',
      },
    });
    this.#supervisor = supervisor;
    for (const stream of [supervisor.stdout, supervisor.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.#output = (this.#output + text).slice(-4000)));
    }
    // Nothing waits for it: a process that has done its work may end, and takes it along.
    supervisor.unref();
    for (const stream of supervisor.stdio) (stream as { unref?(): void } | null)?.unref?.();
    await this.#ready(supervisor);
  }

  async kill(): Promise<void> {
    const supervisor = this.#supervisor;
    this.#supervisor = null;
    if (supervisor === null || hasEnded(supervisor)) return;
    const ended = new Promise((resolve) => supervisor.once('exit', resolve));
    supervisor.ref();
    supervisor.stdin?.end('keep');
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }

  #work(): { command: string; args: string[]; stop?: string[]; folder: string } {
    const address = `127.0.0.1:${this.#port}`;
    const [found, folder] = [this.#found, this.#folder];
    const options = ['--quiet', '--certs-dir', join(folder, 'certs')];
    if (found.kind === 'program') {
      const args = ['server', ...options, '--address', address, join(folder, 'data')];
      return { command: found.path, args, folder };
    }
    const name = `lakehouse-${randomUUID()}`;
    const keys = ['MINIO_ROOT_USER', 'MINIO_ROOT_PASSWORD', 'MINIO_BROWSER'].flatMap((key) => ['--env', key]);
    const user = process.getuid ? ['--user', `${process.getuid()}:${process.getgid!()}`] : [];
    const mount = ['--volume', `${folder}:/lakehouse`];
    return {
      command: 'docker',
      args: [
        `run --rm --name ${name} --publish ${address}:9000`.split(' '),
        [...user, ...mount, ...keys, found.image],
        'server --quiet --certs-dir /lakehouse/certs /lakehouse/data'.split(' '),
      ].flat(),
      stop: ['docker', 'kill', name],
      folder,
    };
  }

  async #ready(supervisor: ChildProcess): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS * (this.#found.kind === 'container' ? 5 : 1);
    while (performance.now() < deadline) {
      if (hasEnded(supervisor)) break;
      // Only this server knows the keys: another one on the port would refuse them.
      const answer = await signedRequest(this, { method: 'GET', path: '/', service: 's3' }).catch(() => null);
      if (answer?.status === 200) return;
      await sleep(50);
    }
    throw new Error(`MinIO does not start on ${this.endpoint}.\n${this.#output}`);
  }
}

/** A server that others run. */
function givenServer(place: S3Place): S3Server {
  return {
    ...place,
    newBucket: (name) => newBucket(place, name),
    async stop() {
      for (const name of await listBuckets(place)) {
        if (name.startsWith(place.bucketPrefix)) await deleteBucket(place, name);
      }
    },
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
