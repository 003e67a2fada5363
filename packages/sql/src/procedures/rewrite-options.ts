import type { RewriteDataFilesOptions, RewriteJobOrder } from '@lh/core';
import { invalidArgument } from '@lh/core/engine';

type Options = { -readonly [K in keyof RewriteDataFilesOptions]: RewriteDataFilesOptions[K] };

/** Spark's options of `rewrite_data_files`: what each sets. */
const OPTIONS: Readonly<Record<string, (options: Options, text: string, key: string) => void>> = {
  'target-file-size-bytes': (options, text, key) => (options.targetFileSizeBytes = numberOf(key, text)),
  'min-file-size-bytes': (options, text, key) => (options.minFileSizeBytes = numberOf(key, text)),
  'max-file-size-bytes': (options, text, key) => (options.maxFileSizeBytes = numberOf(key, text)),
  'min-input-files': (options, text, key) => (options.minInputFiles = numberOf(key, text)),
  'max-file-group-size-bytes': (options, text, key) => (options.maxFileGroupSizeBytes = numberOf(key, text)),
  'max-file-group-input-files': (options, text, key) => (options.maxFileGroupInputFiles = numberOf(key, text)),
  'max-files-to-rewrite': (options, text, key) => (options.maxFilesToRewrite = numberOf(key, text)),
  'max-concurrent-file-group-rewrites': (options, text, key) =>
    (options.maxConcurrentFileGroupRewrites = numberOf(key, text)),
  'partial-progress.enabled': (options, text, key) =>
    (options.partialProgress = { ...options.partialProgress, enabled: booleanOf(key, text) }),
  'partial-progress.max-commits': (options, text, key) =>
    (options.partialProgress = { ...options.partialProgress, maxCommits: numberOf(key, text) }),
  'partial-progress.max-failed-commits': (options, text, key) =>
    (options.partialProgress = { ...options.partialProgress, maxFailedCommits: numberOf(key, text) }),
  'delete-file-threshold': (options, text, key) => (options.deleteFileThreshold = numberOf(key, text)),
  'delete-ratio-threshold': (options, text, key) => (options.deleteRatioThreshold = fractionOf(key, text)),
  'rewrite-all': (options, text, key) => (options.rewriteAll = booleanOf(key, text)),
  'output-spec-id': (options, text, key) => (options.outputSpecId = numberOf(key, text)),
  'use-starting-sequence-number': (options, text, key) => (options.useStartingSequenceNumber = booleanOf(key, text)),
  'remove-dangling-deletes': (options, text, key) => (options.removeDanglingDeletes = booleanOf(key, text)),
  // The value is checked where all callers' values are.
  'rewrite-job-order': (options, text) => (options.jobOrder = text.toLowerCase() as RewriteJobOrder),
};

/** INVALID_ARGUMENT for an option that is unknown, or a value that is none. */
export function rewriteOptions(texts: Readonly<Record<string, string>>): RewriteDataFilesOptions {
  const options: Options = {};
  for (const [key, text] of Object.entries(texts)) {
    const set = Object.hasOwn(OPTIONS, key) ? OPTIONS[key] : undefined;
    if (!set)
      throw invalidArgument(`rewrite_data_files has no option '${key}'; it has ${Object.keys(OPTIONS).join(', ')}.`);
    set(options, text, key);
  }
  return options;
}

function numberOf(key: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw invalidArgument(`The option '${key}' must be a whole number, not '${text}'.`);
  return Number(text);
}

function fractionOf(key: string, text: string): number {
  if (!/^\d*\.?\d+$/.test(text)) throw invalidArgument(`The option '${key}' must be a number, not '${text}'.`);
  return Number(text);
}

function booleanOf(key: string, text: string): boolean {
  const value = text.toLowerCase();
  if (value !== 'true' && value !== 'false') {
    throw invalidArgument(`The option '${key}' must be true or false, not '${text}'.`);
  }
  return value === 'true';
}
