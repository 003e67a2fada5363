import { isLakehouseError } from '@lh/core';

/**
 * ORC is the one format that isn't read, as no package reads it well. A test that comes upon such a file is skipped, and
 * counted as such, if the file is refused as it should be: UNSUPPORTED, with its name.
 */
export async function unlessOrc<T>(skip: (reason: string) => never, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isRefused = isLakehouseError(error, 'UNSUPPORTED') && String(error.context['path']).endsWith('.orc');
    if (isRefused && error.message.includes(String(error.context['path']))) return skip('ORC files are not read');
    throw error;
  }
}
