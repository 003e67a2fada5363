import { spawn } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version of DuckDB that @lh/sql runs on. PyPI carries the extension's binaries for each. */
const VERSION = '1.5.5';
const CACHE = fileURLToPath(new URL(`../../.cache/httpfs-${VERSION}/`, import.meta.url));

const FETCH = `
import glob, subprocess, sys, zipfile
folder = sys.argv[1]
subprocess.run([sys.executable, '-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps',
                '--only-binary', ':all:', '--dest', folder, 'duckdb-extension-httpfs==${VERSION}'], check=True)
with zipfile.ZipFile(glob.glob(folder + '/*.whl')[0]) as wheel:
    [name] = [name for name in wheel.namelist() if name.endswith('.duckdb_extension')]
    with open(folder + '/httpfs.duckdb_extension', 'wb') as file:
        file.write(wheel.read(name))
`;

/**
 * The path of DuckDB's extension httpfs, fetched once. Null, which is said aloud, where it can't be had; in CI that is an
 * error.
 */
export async function httpfsExtension(): Promise<string | null> {
  const path = join(CACHE, 'httpfs.duckdb_extension');
  try {
    await access(path).catch(() => fetchTo(path));
    return path;
  } catch (error) {
    const message = `DuckDB's extension httpfs can't be fetched, which takes Python with pip: ${(error as Error).message}`;
    if (process.env['CI'] === 'true') throw new Error(message, { cause: error });
    process.stderr.write(`\nLEFT OUT: the tests with httpfs. ${message}\n\n`);
    return null;
  }
}

async function fetchTo(path: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'fetch-'));
  try {
    await python(FETCH, folder);
    await rename(join(folder, 'httpfs.duckdb_extension'), path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function python(script: string, argument: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('python3', ['-c', script, argument], { stdio: ['ignore', 'ignore', 'pipe'] });
    const errors: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(Buffer.concat(errors).toString().trim().split('\n').at(-1)));
    });
  });
}
