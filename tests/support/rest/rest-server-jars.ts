import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The server can't be had here; the message says what would help. */
class RestServerMissing extends Error {}

const POM = fileURLToPath(new URL('pom.xml', import.meta.url));
const CACHE = fileURLToPath(new URL('../../../.cache/rest-server', import.meta.url));
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const OLDEST_JAVA = 17;

/** The folder with the server's jars, which Maven fetches once (130 MB) and which is kept beside other downloads. */
export async function restServerJars(): Promise<string> {
  const folder = join(
    CACHE,
    createHash('sha256')
      .update(await readFile(POM))
      .digest('hex')
      .slice(0, 16),
  );
  if (existsSync(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  const fetched = await mkdtemp(join(CACHE, 'fetching-'));
  try {
    process.stderr.write("Fetching Apache's REST catalog server with Maven, once\n");
    await maven(['-B', '-q', '-f', POM, COPY, `-DoutputDirectory=${fetched}`, '-DincludeScope=runtime']);
    await rename(fetched, folder).catch((error: unknown) => {
      // Another process was faster.
      if (!existsSync(folder)) throw error;
    });
    return folder;
  } finally {
    await rm(fetched, { recursive: true, force: true });
  }
}

/** The command that starts Java, which must be new enough for the server. */
export function findJava(): string {
  const { JAVA_HOME } = process.env;
  const java = JAVA_HOME ? join(JAVA_HOME, 'bin', 'java') : 'java';
  const { stderr, error } = spawnSync(java, ['-version'], { encoding: 'utf8' });
  const version = Number(/version "(\d+)/.exec(stderr ?? '')?.[1]);
  if (error || !(version >= OLDEST_JAVA)) {
    throw new RestServerMissing(
      `The tests of the REST catalog run against Apache's own server, which needs Java ${OLDEST_JAVA} or newer: install it, or name its folder in JAVA_HOME.`,
    );
  }
  return java;
}

function maven(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('mvn', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-4000)));
    }
    const help = "The tests of the REST catalog fetch Apache's own server with Maven: install it, as the command mvn";
    child.on('error', (error) => reject(new RestServerMissing(`${help}. ${error.message}`)));
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new RestServerMissing(`${help}, and let it reach a repository. It said: ${output}`));
    });
  });
}
