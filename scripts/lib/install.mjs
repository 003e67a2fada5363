import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { quietly, root } from './process.mjs';

const stamp = join(root, 'node_modules', '.cache', 'lakehouse', 'installed');

/** The pinned version of pnpm, from `packageManager` in package.json: `pnpm@10.34.8`. */
export function pinnedPnpm() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager.split('+')[0];
}

/** Folders of the workspace that hold a package.json, relative to the root. */
export function workspaceFolders() {
  const packages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}`);
  return [...packages, 'examples', 'bench', 'tests', 'tests/support/s3', 'tests/support/duckdb'].filter((path) =>
    existsSync(join(root, path, 'package.json')),
  );
}

/** Installs the locked dependencies with the pinned pnpm, unless exactly these are installed already. */
export async function ensureInstalled() {
  const wanted = fingerprint();
  if (isInstalled(wanted)) return;
  rmSync(stamp, { force: true });
  await quietly(
    'Installing dependencies (the first time takes about a minute)',
    'npx',
    ['--yes', pinnedPnpm(), 'install', '--frozen-lockfile', '--config.confirmModulesPurge=false'],
    { env: environment() },
  );
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

function isInstalled(wanted) {
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) return false;
  return workspaceFolders().every((path) => existsSync(join(root, path, 'node_modules')));
}

/** Whatever decides what gets installed: the lockfile, the manifests, and the platform of the native packages. */
function fingerprint() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  const manifests = workspaceFolders().map((path) => `${path}/package.json`);
  for (const path of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...manifests]) {
    hash.update(path).update(readFileSync(join(root, path)));
  }
  return hash.digest('hex');
}

/** Without npm's own package settings, which `npm run` exports and pnpm would take for its own. */
function environment() {
  const { npm_config_prefix: _prefix, npm_config_global_prefix: _global, ...rest } = process.env;
  return { ...rest, NO_UPDATE_NOTIFIER: '1' };
}
