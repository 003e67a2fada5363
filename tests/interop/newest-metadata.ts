import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The metadata file that the table's version hint names, as other engines find it. */
export async function newestMetadata(location: string): Promise<string> {
  const hint = await readFile(join(location, 'metadata', 'version-hint.text'), 'utf8');
  return join(location, 'metadata', `v${hint.trim()}.metadata.json`);
}
