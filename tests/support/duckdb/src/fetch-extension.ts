import { spawn } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version of DuckDB that @lh/sql runs on. PyPI carries the extensions' binaries for each. */
const VERSION = '1.5.5';
const CACHE = fileURLToPath(new URL('../../../../.cache/', import.meta.url));

const FETCH = `
import glob, subprocess, sys, zipfile
folder, extension = sys.argv[1:]
subprocess.run([sys.executable, '-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps',
                '--only-binary', ':all:', '--dest', folder, 'duckdb-extension-' + extension + '==${VERSION}'], check=True)
with zipfile.ZipFile(glob.glob(folder + '/*.whl')[0]) as wheel:
    [name] = [name for name in wheel.namelist() if name.endswith('.duckdb_extension')]
    with open(folder + '/' + extension + '.duckdb_extension', 'wb') as file:
        file.write(wheel.read(name))
`;

/** The path of an extension of DuckDB, fetched once. That takes Python with pip; an error says so. */
export async function fetchExtension(name: 'httpfs' | 'tpch'): Promise<string> {
  const path = join(CACHE, `${name}-${VERSION}`, `${name}.duckdb_extension`);
  try {
    await access(path).catch(() => fetchTo(path, name));
    return path;
  } catch (error) {
    const message = `DuckDB's extension ${name} can't be fetched, which takes Python with pip: ${(error as Error).message}`;
    throw new Error(message, { cause: error });
  }
}

async function fetchTo(path: string, name: string): Promise<void> {
  const cache = join(path, '..');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'fetch-'));
  try {
    await python(FETCH, folder, name);
    await rename(join(folder, `${name}.duckdb_extension`), path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function python(script: string, ...args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('python3', ['-c', script, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    const errors: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(Buffer.concat(errors).toString().trim().split('\n').at(-1)));
    });
  });
}
