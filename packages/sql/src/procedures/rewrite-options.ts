import type { RewriteDataFilesOptions, Table } from '@lh/core';
import { invalidArgument } from '@lh/core/engine';

type RewritePositionDeletesOptions = NonNullable<Parameters<Table['rewritePositionDeletes']>[0]>;

/** What an option's text is. */
type OptionType = 'integer' | 'number' | 'boolean' | 'word';

/** Options by Spark's names for them, with the methods' own; null for those that only tune how Spark works. */
type OptionNames = Readonly<Record<string, readonly [name: string | null, type: OptionType]>>;

const SIZES: OptionNames = {
  'target-file-size-bytes': ['targetFileSizeBytes', 'integer'],
  'min-file-size-bytes': ['minFileSizeBytes', 'integer'],
  'max-file-size-bytes': ['maxFileSizeBytes', 'integer'],
  'min-input-files': ['minInputFiles', 'integer'],
  'rewrite-all': ['rewriteAll', 'boolean'],
};

const DATA_FILES: OptionNames = {
  ...SIZES,
  'max-file-group-size-bytes': ['maxFileGroupSizeBytes', 'integer'],
  'max-file-group-input-files': ['maxFileGroupInputFiles', 'integer'],
  'max-files-to-rewrite': ['maxFilesToRewrite', 'integer'],
  'max-concurrent-file-group-rewrites': ['maxConcurrentFileGroupRewrites', 'integer'],
  'delete-file-threshold': ['deleteFileThreshold', 'integer'],
  'delete-ratio-threshold': ['deleteRatioThreshold', 'number'],
  'output-spec-id': ['outputSpecId', 'integer'],
  'use-starting-sequence-number': ['useStartingSequenceNumber', 'boolean'],
  'remove-dangling-deletes': ['removeDanglingDeletes', 'boolean'],
  'rewrite-job-order': ['jobOrder', 'word'],
  'compression-factor': [null, 'number'],
  'shuffle-partitions-per-file': [null, 'integer'],
  'var-length-contribution': [null, 'integer'],
  'max-output-size': [null, 'integer'],
};

/** They are rewritten as one snapshot, a partition at a time. */
const POSITION_DELETES: OptionNames = {
  ...SIZES,
  'max-file-group-size-bytes': [null, 'integer'],
  'max-concurrent-file-group-rewrites': [null, 'integer'],
  'partial-progress.enabled': [null, 'boolean'],
  'partial-progress.max-commits': [null, 'integer'],
  'partial-progress.max-failed-commits': [null, 'integer'],
  'rewrite-job-order': [null, 'word'],
};

const PARTIAL_PROGRESS: OptionNames = {
  'partial-progress.enabled': ['enabled', 'boolean'],
  'partial-progress.max-commits': ['maxCommits', 'integer'],
  'partial-progress.max-failed-commits': ['maxFailedCommits', 'integer'],
};

type Texts = Readonly<Record<string, string>>;

/** Those of `rewrite_data_files`. INVALID_ARGUMENT for an option that is unknown, or a value that is none. */
export function dataFileOptions(texts: Texts): RewriteDataFilesOptions {
  const isPartial = (key: string): boolean => key.startsWith('partial-progress.');
  const own = Object.entries(texts).filter(([key]) => !isPartial(key));
  const partial = Object.entries(texts).filter(([key]) => isPartial(key));
  return {
    ...readOptions(Object.fromEntries(own), DATA_FILES),
    ...(partial.length > 0 && { partialProgress: readOptions(Object.fromEntries(partial), PARTIAL_PROGRESS) }),
  };
}

/** Those of `rewrite_position_delete_files`. */
export function positionDeleteOptions(texts: Texts): RewritePositionDeletesOptions {
  return readOptions(texts, POSITION_DELETES);
}

function readOptions(texts: Texts, names: OptionNames): Readonly<Record<string, unknown>> {
  const entries = Object.entries(texts).flatMap(([key, text]) => {
    const known = Object.hasOwn(names, key) ? names[key] : undefined;
    if (!known) throw invalidArgument(`There is no option '${key}'; there are ${Object.keys(names).join(', ')}.`);
    const [name, type] = known;
    const value = READERS[type](text);
    if (value === null) throw invalidArgument(`The option '${key}' must be ${DESCRIPTIONS[type]}, not '${text}'.`);
    return name === null ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}

const READERS: Readonly<Record<OptionType, (text: string) => number | boolean | string | null>> = {
  integer: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : null),
  number: (text) => (/^\d*\.?\d+$/.test(text) ? Number(text) : null),
  boolean: (text) => ({ true: true, false: false })[text.toLowerCase()] ?? null,
  // Which words there are is for whoever takes them to say.
  word: (text) => text.toLowerCase(),
};

const DESCRIPTIONS: Readonly<Record<OptionType, string>> = {
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  word: 'a word',
};
