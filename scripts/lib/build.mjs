import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';

import { ensureInstalled, workspaceFolders } from './install.mjs';
import { bin, quietly, root } from './process.mjs';

/** Compiles every package, the examples and the benchmarks; does nothing where nothing changed. */
export async function ensureBuilt() {
  await ensureInstalled();
  removeStaleOutput();
  await quietly('Building', bin('tsc'), ['-b']);
}

/** The compiler never deletes: without this a removed module would still be packed and importable. */
function removeStaleOutput() {
  for (const folder of workspaceFolders()) {
    const dist = join(root, folder, 'dist');
    if (!existsSync(dist)) continue;
    for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name.endsWith('.tsbuildinfo')) continue;
      const output = join(entry.parentPath, entry.name);
      const source = relative(dist, output).replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
      if (!existsSync(join(root, folder, 'src', source))) rmSync(output);
    }
  }
}
