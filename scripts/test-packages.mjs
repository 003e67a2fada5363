// Checks the packages as a user gets them: packed, linted, and installed into an empty project.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { runChecks } from './lib/checks.mjs';
import { packagingChecks } from './lib/packaging.mjs';

const work = mkdtempSync(join(tmpdir(), 'lakehouse-packages-'));
const { passed, failed } = await runChecks(packagingChecks(work));
rmSync(work, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
