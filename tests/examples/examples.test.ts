import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

/** What each example prints. */
const printed: Readonly<Record<string, string>> = {};

test('every example is run', () => {
  const names = readdirSync(`${examples}src`).filter((file) => file.endsWith('.ts') && file !== 'demo.ts');
  expect(Object.keys(printed).toSorted()).toEqual(names.map((file) => file.slice(0, -3)).toSorted());
});

test.each(Object.entries(printed))('%s', async (name, output) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [`${examples}dist/${name}.js`]);
  expect(stderr).toBe('');
  expect(stdout).toBe(output);
});
