import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expectSuccess } from './checks.mjs';
import { pinnedPnpm } from './install.mjs';
import { TaskFailed, bin, capture, root } from './process.mjs';

/** The checks, in order; they work in the given empty folder. */
export function packagingChecks(work) {
  mkdirSync(work, { recursive: true });
  const packages = readdirSync(join(root, 'packages')).map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'));
    return { name, tarball: join(work, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`) };
  });
  const tarballs = packages.map((one) => one.tarball);
  return [
    { name: 'the packages pack', run: () => pack(work) },
    ...packages.flatMap(({ name, tarball }) => [
      { name: `${name} holds what it needs and nothing else`, run: () => checkContents(tarball) },
      { name: `${name} passes publint`, run: () => expectSuccess(capture(bin('publint'), ['--strict', tarball])) },
      { name: `${name} passes attw`, run: () => expectSuccess(capture(bin('attw'), ['--profile=esm-only', tarball])) },
    ]),
    {
      name: "the README's quick start runs and type-checks against the tarballs",
      run: () => quickStart(join(work, 'project'), tarballs),
    },
  ];
}

async function pack(destination) {
  const command = ['--yes', pinnedPnpm(), '--recursive', '--filter=./packages/*', 'pack'];
  await expectSuccess(capture('npx', [...command, `--pack-destination=${destination}`]));
}

async function checkContents(tarball) {
  const list = await capture('tar', ['-tzf', tarball]);
  const files = list.stdout
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''));
  for (const wanted of ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']) {
    if (!files.includes(wanted)) throw new TaskFailed(`${wanted} is missing.`);
  }
  const stray = files.filter(
    (path) => !/^(package\.json|README\.md|LICENSE|dist\/.*\.(js|d\.ts)(\.map)?|src\/.*\.ts)$/.test(path),
  );
  if (stray.length > 0) throw new TaskFailed(`These files should not be packed:\n${stray.join('\n')}`);
  const manifest = (await capture('tar', ['-xzOf', tarball, 'package/package.json'])).stdout;
  for (const leftover of ['workspace:', '@lh/source']) {
    if (manifest.includes(leftover)) throw new TaskFailed(`package.json still says '${leftover}'.`);
  }
}

/** Installs the tarballs with npm into an empty project and runs the README's first example there, word for word. */
async function quickStart(project, tarballs) {
  const { code, output: expected } = quickStartOfReadme();
  mkdirSync(project);
  const write = (name, text) => writeFileSync(join(project, name), text);
  write('package.json', JSON.stringify({ name: 'quick-start', private: true, type: 'module' }));
  write('quick-start.mjs', code);
  await npmInstall(project, [`apache-arrow@${versionOf('packages/core/node_modules/apache-arrow')}`, ...tarballs]);

  const result = await capture(process.execPath, ['quick-start.mjs'], { cwd: project });
  if (result.code !== 0) throw new TaskFailed(result.output);
  if (result.output.trimEnd() !== expected.trimEnd()) {
    throw new TaskFailed(`The README promises\n${expected}\nbut the program prints\n${result.output}`);
  }

  // The same text as TypeScript, against the packed declarations.
  const compilerOptions = { module: 'nodenext', target: 'es2022', strict: true, noEmit: true, types: ['node'] };
  write('quick-start.ts', code);
  write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['quick-start.ts'] }));
  await npmInstall(project, [`@types/node@${versionOf('node_modules/@types/node')}`]);
  await expectSuccess(capture(bin('tsc'), ['-p', project]));
}

function npmInstall(project, packages) {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  return expectSuccess(capture('npm', ['install', ...quiet, ...packages], { cwd: project }));
}

function versionOf(folder) {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')).version;
}

/** The first code block under "Quick start" and the output shown below it. */
function quickStartOfReadme() {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const section = readme.slice(readme.indexOf('\n## Quick start'));
  const code = /```(?:ts|js)\n([^]*?)```/.exec(section);
  const output = /```text\n([^]*?)```/.exec(section);
  if (code === null || output === null) throw new TaskFailed('README.md has no quick start with its output.');
  return { code: code[1], output: output[1] };
}
