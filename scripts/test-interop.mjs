// Makes a Python environment with the pinned engines once, then runs the interop tests with it: with PyIceberg and DuckDB,
// or with Spark (`spark` as the first argument), which needs Java and Maven.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { TaskFailed, bin, capture, quietly, red, root, run } from './lib/process.mjs';

const SPARK_RUNTIME = 'org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.12.0';
const cache = join(root, '.cache');

async function pythonWith(name, requirementsFile) {
  const requirements = join(root, 'tests', 'interop', requirementsFile);
  const environment = join(cache, name);
  const python = join(environment, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const stamp = join(environment, 'installed');
  const wanted = createHash('sha256').update(environment).update(readFileSync(requirements)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python;
  rmSync(environment, { recursive: true, force: true });
  await quietly('Making a Python environment', await systemPython(), ['-m', 'venv', environment]);
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
  await quietly('Installing the engines into it', python, install);
  writeFileSync(stamp, wanted);
  return python;
}

async function systemPython() {
  for (const name of ['python3', 'python']) {
    const version = 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else 1)';
    const found = await capture(name, ['-c', version]).catch(() => null);
    if (found?.code === 0) return name;
  }
  throw new TaskFailed('The interop tests need Python 3.10 or newer with venv; python3 was not found on the PATH.');
}

async function sparkRuntime() {
  const [, artifact, version] = SPARK_RUNTIME.split(':');
  const jar = join(cache, 'interop-jars', `${artifact}-${version}.jar`);
  if (existsSync(jar)) return jar;
  mkdirSync(join(cache, 'interop-jars'), { recursive: true });
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';
  const args = ['-B', '-q', goal, `-Dartifact=${SPARK_RUNTIME}`, `-DoutputDirectory=${join(cache, 'interop-jars')}`];
  await quietly("Fetching Iceberg's runtime for Spark", 'mvn', args).catch((error) => {
    if (error instanceof TaskFailed) throw error;
    throw new TaskFailed('The interop tests with Spark need Maven (mvn) on the PATH, to fetch the runtime of Iceberg.');
  });
  return jar;
}

async function environmentOf(spark) {
  if (!spark) {
    const python = await pythonWith('interop-python', 'requirements.txt');
    return { INTEROP_PYTHON: python, INTEROP_ENGINES: 'PyIceberg,DuckDB' };
  }
  const python = await pythonWith('interop-spark', 'requirements-spark.txt');
  return { INTEROP_PYTHON: python, INTEROP_ENGINES: 'Spark', INTEROP_SPARK_JAR: await sparkRuntime() };
}

const args = process.argv.slice(2);
const spark = args[0] === 'spark';
let environment;
try {
  environment = await environmentOf(spark);
} catch (error) {
  if (!(error instanceof TaskFailed)) throw error;
  console.error(red(error.message));
  process.exit(1);
}
/** Those that are named, or all that concern Spark. */
function sparkTests(names) {
  return names.some((name) => !name.startsWith('-'))
    ? names
    : ['interop.test.ts', 'statistics.test.ts', '.spark.test.ts', ...names];
}

const tests = spark ? sparkTests(args.slice(1)) : args;
const command = ['run', '--config', 'tests/interop/vitest.config.ts', ...tests];
process.exit(await run(bin('vitest'), command, { env: { ...process.env, ...environment } }));
