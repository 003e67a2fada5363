import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import type { Sample } from './harness.ts';

const PEERS = fileURLToPath(new URL('../peers/', import.meta.url));
const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url));

/**
 * Another engine in a process and a folder of its own, warm from the job before. It prepares each job untimed, and
 * times itself.
 */
export class Peer {
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;
  readonly #folder: string;

  constructor(python: string, script: string, args: readonly string[] = []) {
    this.#folder = mkdtempSync(join(tmpdir(), 'lakehouse-peer-'));
    this.#process = spawn(python, [join(PEERS, script), ...args, this.#folder], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    });
    this.#lines = createInterface({ input: this.#process.stdout! });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /** `expected`: how many rows or commits the job must have made. */
  async ask(job: string, expected: number): Promise<Sample> {
    this.#process.stdin!.write(`${job}\n`);
    const { value } = await this.#answers.next();
    if (value === undefined) throw new Error(`The peer failed to do '${job}'.`);
    const { made, ...took } = JSON.parse(value) as Sample & { readonly made: number };
    if (made !== expected) throw new Error(`The peer made ${made} of ${expected} for '${job}'.`);
    return took;
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.stdin!.end();
    if (this.#process.exitCode === null) await gone;
    this.#lines.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** PyIceberg, in a Python environment that is made the first time; null, and a word about it, where that can't be. */
export function pyIceberg(): Peer | null {
  const python = pythonOf('bench-python');
  if (!isInstalled(python, 'bench-python')) {
    console.log('PyIceberg is left out: its Python environment could not be made (needs python3 with venv, and pip).');
    return null;
  }
  return new Peer(python, 'peer_pyiceberg.py');
}

/** Spark, as the interop tests have installed it; null, and a word about it, if they haven't. */
export function spark(): Peer | null {
  const python = pythonOf('interop-spark');
  const jars = join(CACHE, 'interop-jars');
  const jar = existsSync(jars) && readdirSync(jars).find((name) => name.startsWith('iceberg-spark-runtime'));
  if (!jar || !existsSync(python)) {
    console.log('Spark is left out: `npm run test:spark` installs it, if Java and Maven are there.');
    return null;
  }
  return new Peer(python, 'peer_spark.py', [join(jars, jar)]);
}

function pythonOf(environment: string): string {
  return join(CACHE, environment, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
}

function isInstalled(python: string, environment: string): boolean {
  const requirements = join(PEERS, 'requirements.txt');
  const stamp = join(CACHE, environment, 'installed');
  const wanted = readFileSync(requirements, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return true;
  console.log('Making a Python environment for PyIceberg …');
  const made =
    spawnSync('python3', ['-m', 'venv', '--clear', join(CACHE, environment)]).status === 0 &&
    spawnSync(python, ['-m', 'pip', 'install', '--quiet', '-r', requirements]).status === 0;
  if (made) writeFileSync(stamp, wanted);
  return made;
}
