import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import { buildMinio, cachedMinio } from './build-minio.ts';
import type { S3Place } from './place.ts';

/** What can be had here: a server that runs already, a program, or an image for Docker. */
export type FoundServer =
  | { readonly kind: 'endpoint'; readonly place: S3Place }
  | { readonly kind: 'program'; readonly path: string }
  | { readonly kind: 'container'; readonly image: string };

/** There is no S3 server here, and none can be made; the message says what would help. */
export class S3ServerMissing extends Error {}

/** The last that MinIO has published. */
const IMAGE = 'quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z';

/**
 * Finds an S3 server, in this order: the one that LH_S3_ENDPOINT names, with the keys in LH_S3_ACCESS_KEY and
 * LH_S3_SECRET; MinIO on the PATH, or built by an earlier run; MinIO built from its sources, where Go is; MinIO's image,
 * where Docker runs.
 */
export async function findServer(): Promise<FoundServer> {
  const place = placeOfEnvironment();
  return place ? { kind: 'endpoint', place } : findMinio();
}

/** MinIO to start here, whatever LH_S3_ENDPOINT says. */
export async function findMinio(): Promise<Exclude<FoundServer, { kind: 'endpoint' }>> {
  const program = onPath('minio') ?? cachedMinio();
  if (program !== null) return { kind: 'program', path: program };
  const reasons: string[] = [];
  const go = onPath('go');
  if (go === null) reasons.push('there is neither MinIO nor Go on the PATH');
  else {
    try {
      return { kind: 'program', path: await buildMinio(go) };
    } catch (error) {
      reasons.push((error as Error).message);
    }
  }
  if (dockerRuns()) return { kind: 'container', image: IMAGE };
  reasons.push('Docker does not run');
  throw new S3ServerMissing(
    `No S3 server can be had: ${reasons.join('; ')}. Install MinIO or Go, start Docker, or name a server in LH_S3_ENDPOINT, LH_S3_ACCESS_KEY and LH_S3_SECRET.`,
  );
}

function placeOfEnvironment(): S3Place | null {
  const { LH_S3_ENDPOINT, LH_S3_ACCESS_KEY, LH_S3_SECRET, LH_S3_REGION } = process.env;
  if (!LH_S3_ENDPOINT) return null;
  if (!LH_S3_ACCESS_KEY || !LH_S3_SECRET) {
    throw new Error('LH_S3_ENDPOINT needs its keys in LH_S3_ACCESS_KEY and LH_S3_SECRET.');
  }
  return {
    endpoint: LH_S3_ENDPOINT.replace(/\/+$/, ''),
    accessKeyId: LH_S3_ACCESS_KEY,
    secretAccessKey: LH_S3_SECRET,
    region: LH_S3_REGION || 'us-east-1',
    bucketPrefix: `lh-${randomBytes(4).toString('hex')}-`,
  };
}

function onPath(name: string): string | null {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, file);
    if (folder !== '' && isExecutable(path)) return path;
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function dockerRuns(): boolean {
  return onPath('docker') !== null && spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0;
}
