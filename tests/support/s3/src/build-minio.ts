import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** MinIO tags no versions that Go understands, so this names a commit: that of RELEASE.2026-02-12. */
const VERSION = 'v0.0.0-20260212201848-7aac2a2c5b7c';

/** Beside other downloads, in the repository. Sources and their build are equally deep in it. */
const CACHE = fileURLToPath(new URL('../../../../.cache/s3-server', import.meta.url));
const SUFFIX = process.platform === 'win32' ? '.exe' : '';
const PROGRAM = join(CACHE, `minio-${VERSION}${SUFFIX}`);
const LOCK = `${PROGRAM}.lock`;

const REPORT_MS = 15_000;
const POLL_MS = 500;
/** Nobody builds for so long: another process has the number of one that is no more. */
const STALE_MS = 60 * 60_000;

/** The program that an earlier run has built; null if none has. */
export function cachedMinio(): string | null {
  return existsSync(PROGRAM) ? PROGRAM : null;
}

/**
 * Builds MinIO from its sources, which Go gets as modules: four to five minutes on two cores, and once, because the
 * program is kept. Tells on stderr how far it is. Of several processes one builds, and the others wait for it.
 */
export async function buildMinio(go: string): Promise<string> {
  await mkdir(CACHE, { recursive: true });
  const progress = new Progress();
  try {
    while (!(await lock())) {
      progress.doing = 'Another process is building MinIO';
      await sleep(POLL_MS);
    }
    try {
      if (!existsSync(PROGRAM)) await install(go, progress);
    } finally {
      await rm(LOCK, { force: true });
    }
    return PROGRAM;
  } finally {
    progress.end();
  }
}

async function install(go: string, progress: Progress): Promise<void> {
  const folder = join(CACHE, `building-${process.pid}`);
  try {
    const env = {
      ...process.env,
      GOBIN: folder,
      // Where Go is older than MinIO asks for, it gets its own newer self, as a module.
      GOTOOLCHAIN: process.env['GOTOOLCHAIN'] ?? 'auto',
    };
    const child = spawn(go, ['install', '-ldflags=-s -w', `github.com/minio/minio@${VERSION}`], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let modules = 0;
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      modules += text.split('go: downloading').length - 1;
      progress.doing = `Building MinIO with Go, once; it takes some minutes (${modules} modules downloaded)`;
      errors = (errors + text).slice(-2000);
    });
    progress.doing = 'Building MinIO with Go, once; it takes some minutes';
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject).on('close', resolve);
    });
    const lines = errors.split('\n').filter((line) => line !== '' && !line.startsWith('go: downloading'));
    if (code !== 0) throw new Error(`MinIO can't be built with Go: ${lines.join(' ')}`);
    await rename(join(folder, `minio${SUFFIX}`), PROGRAM);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** True if the lock is ours now; one that a process left behind is taken away. */
async function lock(): Promise<boolean> {
  const own = `${LOCK}.${process.pid}`;
  await writeFile(own, String(process.pid));
  try {
    // Whoever finds it finds the owner's name in it.
    await link(own, LOCK);
    return true;
  } catch {
    if (await isLeftBehind()) await rm(LOCK, { force: true });
    return false;
  } finally {
    await rm(own, { force: true });
  }
}

async function isLeftBehind(): Promise<boolean> {
  try {
    const [owner, { mtimeMs }] = await Promise.all([readFile(LOCK, 'utf8'), stat(LOCK)]);
    return !isAlive(Number(owner)) || Date.now() - mtimeMs > STALE_MS;
  } catch {
    // It has just been given up.
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Says what goes on at once, and every now and then that it still does. */
class Progress {
  readonly #startedMs = performance.now();
  readonly #timer = setInterval(() => this.#report(), REPORT_MS);
  #doing = '';

  set doing(text: string) {
    const isFirst = this.#doing === '';
    this.#doing = text;
    if (isFirst) this.#report();
  }

  end(): void {
    clearInterval(this.#timer);
    if (this.#doing !== '') this.#report();
  }

  #report(): void {
    if (this.#doing === '') return;
    process.stderr.write(`${this.#doing} … ${Math.round((performance.now() - this.#startedMs) / 1000)} s\n`);
  }
}
