import type { FileSizes } from './options.ts';

/** Files that come out somewhat larger than planned need not be cut for it. */
const MAX_OVERSIZE = 1.1;

/**
 * The size at which files of a group are closed, so that its bytes make files of about the target size and no tiny last
 * one: what would be left over goes to the others if it is below the least size and makes them no more than a tenth
 * larger. A group of one file may fill half the way to the largest size, in case that it is written less densely.
 */
export function expectedFileSize(bytes: number, sizes: FileSizes): number {
  const largest = Math.trunc(sizes.target + (sizes.max - sizes.target) / 2);
  const files = expectedFiles(bytes, sizes, largest);
  return files === 1 ? largest : Math.min(Math.max(Math.ceil(bytes / files), sizes.target), largest);
}

/** How many files a group should become. */
export function expectedFiles(bytes: number, { target, min }: FileSizes, largest: number): number {
  if (bytes < target) return 1;
  const whole = Math.floor(bytes / target);
  const rest = bytes % target;
  if (rest === 0) return whole;
  const isWorthAFile = rest > min || bytes / whole >= Math.min(MAX_OVERSIZE * target, largest);
  return isWorthAFile ? whole + 1 : whole;
}
