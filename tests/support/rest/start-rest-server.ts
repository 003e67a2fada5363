import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { S3Place } from 'lakehouse-s3-server';

import { findJava, restServerJars } from './rest-server-jars.ts';

export interface RestServerOptions {
  /** Where tables go that are created without a location; a folder of its own on the local disk if left out. */
  readonly warehouse?: string;
  /** The S3 server of the warehouse: its keys are given to clients with the tables. */
  readonly s3?: S3Place;
}

const SUPERVISOR = fileURLToPath(new URL('../s3/supervise.mjs', import.meta.url));
const PATIENCE_MS = 120_000;

/**
 * Starts Apache's REST catalog server (the fixture of Iceberg's own tests) in a process of its own, with SQLite behind
 * it. It ends with this process at the latest.
 */
export async function startRestServer(options: RestServerOptions = {}): Promise<RestServer> {
  const [java, jars] = [findJava(), await restServerJars()];
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'lakehouse-rest-')));
  const warehouse = options.warehouse ?? join(folder, 'warehouse');
  await mkdir(join(folder, 'warehouse'), { recursive: true });
  const port = await freePort();
  const server = new RestServer({ java, jars, folder, warehouse, port, s3: options.s3 });
  try {
    await server.restart();
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

interface Place {
  readonly java: string;
  readonly jars: string;
  readonly folder: string;
  readonly warehouse: string;
  readonly port: number;
  readonly s3: S3Place | undefined;
}

export class RestServer {
  readonly uri: string;
  readonly warehouse: string;
  readonly #place: Place;
  #supervisor: ChildProcess | null = null;
  #output = '';

  constructor(place: Place) {
    this.#place = place;
    this.uri = `http://127.0.0.1:${place.port}`;
    this.warehouse = place.warehouse;
  }

  /** Starts it, again after `kill` with all that it had. */
  async restart(): Promise<void> {
    const { java, jars, folder, port } = this.#place;
    const args = ['-Xmx256m', '-XX:+UseSerialGC', '-cp', join(jars, '*'), 'org.apache.iceberg.rest.RESTCatalogServer'];
    const work = { command: java, args, folder };
    const supervisor = spawn(process.execPath, [SUPERVISOR, JSON.stringify(work)], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#settings(), CATALOG_REST_PORT: String(port), REST_PORT: String(port) },
    });
    this.#supervisor = supervisor;
    for (const stream of [supervisor.stdout, supervisor.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.#output = (this.#output + text).slice(-8000)));
    }
    supervisor.unref();
    for (const stream of supervisor.stdio) (stream as { unref?(): void } | null)?.unref?.();
    await this.#ready(supervisor);
  }

  /** Ends it as a crash does. What it had stays. */
  async kill(): Promise<void> {
    await this.#end('keep');
  }

  /** Ends it, and deletes what it had. */
  async stop(): Promise<void> {
    await this.#end('');
    await rm(this.#place.folder, { recursive: true, force: true, maxRetries: 10 });
  }

  async #end(word: string): Promise<void> {
    const supervisor = this.#supervisor;
    this.#supervisor = null;
    if (supervisor === null || hasEnded(supervisor)) return;
    const ended = new Promise((resolve) => supervisor.once('exit', resolve));
    supervisor.ref();
    supervisor.stdin?.end(word);
    await ended;
  }

  #settings(): Record<string, string> {
    const { folder, warehouse, s3 } = this.#place;
    const settings: Record<string, string> = {
      CATALOG_CATALOG__IMPL: 'org.apache.iceberg.jdbc.JdbcCatalog',
      // Requests of several clients wait for each other, instead of failing at once.
      CATALOG_URI: `jdbc:sqlite:${join(folder, 'catalog.sqlite')}?busy_timeout=20000`,
      CATALOG_JDBC_USER: 'user',
      CATALOG_JDBC_PASSWORD: 'password',
      CATALOG_JDBC_SCHEMA__VERSION: 'V1',
      // Tables need a namespace that exists.
      CATALOG_JDBC_STRICT__MODE: 'true',
      CATALOG_WAREHOUSE: warehouse,
    };
    if (!s3) return settings;
    return {
      ...settings,
      CATALOG_IO__IMPL: 'org.apache.iceberg.aws.s3.S3FileIO',
      CATALOG_S3_ENDPOINT: s3.endpoint,
      CATALOG_S3_PATH__STYLE__ACCESS: 'true',
      CATALOG_CLIENT_REGION: s3.region,
      AWS_REGION: s3.region,
      CATALOG_S3_ACCESS__KEY__ID: s3.accessKeyId,
      CATALOG_S3_SECRET__ACCESS__KEY: s3.secretAccessKey,
      CATALOG_INCLUDE__CREDENTIALS: 'true',
    };
  }

  async #ready(supervisor: ChildProcess): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (performance.now() < deadline && !hasEnded(supervisor)) {
      const answer = await fetch(`${this.uri}/v1/config`).catch(() => null);
      await answer?.text();
      if (answer?.status === 200) return;
      await sleep(50);
    }
    throw new Error(`Apache's REST catalog server does not start on ${this.uri}.\n${this.#output}`);
  }
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
