import { invalidArgument } from '../errors.ts';

export type Properties = Readonly<Record<string, string>>;

/** How the text of one property is read; undefined for a bad value. `expected` completes "must be …". */
interface PropertyType<T> {
  readonly parse: (text: string) => T | undefined;
  readonly expected: string;
}

interface KnownProperty<T> {
  readonly type: PropertyType<T>;
  readonly missing: T;
}

const KB = 1024;
const MB = 1024 * KB;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const bool: PropertyType<boolean> = {
  parse: (text) => ({ true: true, false: false })[text.toLowerCase()],
  expected: "'true' or 'false'",
};

function wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER): PropertyType<number> {
  return {
    parse: (text) => {
      const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max ? value : undefined;
    },
    expected:
      max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min} on` : `a whole number from ${min} to ${max}`,
  };
}

function oneOf<const T extends string>(...choices: readonly T[]): PropertyType<T> {
  return {
    parse: (text) => choices.find((choice) => choice === text.toLowerCase()),
    expected: choices.map((choice) => `'${choice}'`).join(', '),
  };
}

const ratio: PropertyType<number> = {
  parse: (value) => {
    const number = /^[+]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) ? Number(value) : Number.NaN;
    return number > 0 && number < 1 ? number : undefined;
  },
  expected: 'a number between 0 and 1',
};

const text: PropertyType<string> = { parse: (value) => value, expected: 'text' };
const path: PropertyType<string> = { parse: (value) => (value === '' ? undefined : value), expected: 'a location' };

/** How much of a column's metrics goes into manifests (`write.metadata.metrics.*`). */
export type MetricsMode =
  | { readonly mode: 'none' | 'counts' | 'full' }
  /** Bounds of strings and binary are cut to so many characters or bytes. */
  | { readonly mode: 'truncate'; readonly length: number };

const metricsMode: PropertyType<MetricsMode> = {
  parse: (value) => {
    const mode = value.toLowerCase();
    if (mode === 'none' || mode === 'counts' || mode === 'full') return { mode };
    const match = /^truncate\((\d{1,9})\)$/.exec(mode);
    return match && Number(match[1]) > 0 ? { mode: 'truncate', length: Number(match[1]) } : undefined;
  },
  expected: "'none', 'counts', 'full' or 'truncate(16)'",
};

const count = wholeNumber(0, 0x7fff_ffff);
const positive = wholeNumber(1);
const milliseconds = wholeNumber(0);
/** Java's largest long means forever. */
const age: PropertyType<number> = {
  parse: (value) => (/^\d{1,19}$/.test(value) ? Math.min(Number(value), Number.MAX_SAFE_INTEGER) : undefined),
  expected: 'a whole number from 0 on',
};
const rowLevelMode = oneOf('copy-on-write', 'merge-on-read');
const isolationLevel = oneOf('serializable', 'snapshot');

function known<T>(type: PropertyType<T>, missing: T): KnownProperty<T> {
  return { type, missing };
}

/** A property that may be unset. */
function maybe<T>(type: PropertyType<T>): KnownProperty<T | null> {
  return { type, missing: null };
}

/** The properties that this library acts on, with the types of their values; null where one is unset. */
export interface KnownProperties {
  readonly 'commit.retry.num-retries': number;
  readonly 'commit.retry.min-wait-ms': number;
  readonly 'commit.retry.max-wait-ms': number;
  readonly 'commit.retry.total-timeout-ms': number;
  readonly 'commit.manifest.target-size-bytes': number;
  readonly 'commit.manifest.min-count-to-merge': number;
  readonly 'commit.manifest-merge.enabled': boolean;
  readonly 'write.format.default': 'parquet' | 'avro' | 'orc';
  readonly 'write.delete.format.default': 'parquet' | 'avro' | 'orc' | null;
  readonly 'write.target-file-size-bytes': number;
  readonly 'write.delete.target-file-size-bytes': number;
  readonly 'write.parquet.row-group-size-bytes': number;
  readonly 'write.parquet.page-size-bytes': number;
  readonly 'write.parquet.page-row-limit': number;
  readonly 'write.parquet.dict-size-bytes': number;
  readonly 'write.parquet.compression-codec':
    | 'zstd'
    | 'gzip'
    | 'snappy'
    | 'lz4'
    | 'lz4_raw'
    | 'brotli'
    | 'uncompressed';
  readonly 'write.parquet.compression-level': number | null;
  readonly 'write.parquet.bloom-filter-max-bytes': number;
  readonly 'write.avro.compression-codec': 'gzip' | 'zstd' | 'snappy' | 'uncompressed';
  readonly 'write.manifest.compression-codec': 'gzip' | 'zstd' | 'snappy' | 'uncompressed';
  readonly 'write.object-storage.enabled': boolean;
  readonly 'write.object-storage.partitioned-paths': boolean;
  readonly 'write.data.path': string | null;
  readonly 'write.metadata.path': string | null;
  readonly 'write.metadata.compression-codec': 'none' | 'gzip';
  readonly 'write.metadata.previous-versions-max': number;
  readonly 'write.metadata.delete-after-commit.enabled': boolean;
  readonly 'write.metadata.metrics.default': MetricsMode | null;
  readonly 'write.metadata.metrics.max-inferred-column-defaults': number;
  readonly 'write.summary.partition-limit': number;
  readonly 'write.distribution-mode': 'none' | 'hash' | 'range' | null;
  readonly 'write.delete.mode': 'copy-on-write' | 'merge-on-read';
  readonly 'write.update.mode': 'copy-on-write' | 'merge-on-read';
  readonly 'write.merge.mode': 'copy-on-write' | 'merge-on-read';
  readonly 'write.delete.granularity': 'file' | 'partition';
  readonly 'write.delete.isolation-level': 'serializable' | 'snapshot';
  readonly 'write.update.isolation-level': 'serializable' | 'snapshot';
  readonly 'write.merge.isolation-level': 'serializable' | 'snapshot';
  readonly 'write.wap.enabled': boolean;
  readonly 'read.split.target-size': number;
  readonly 'read.split.metadata-target-size': number;
  readonly 'read.split.planning-lookback': number;
  readonly 'read.split.open-file-cost': number;
  readonly 'history.expire.max-snapshot-age-ms': number;
  readonly 'history.expire.min-snapshots-to-keep': number;
  readonly 'history.expire.max-ref-age-ms': number;
  readonly 'gc.enabled': boolean;
  readonly 'schema.name-mapping.default': string | null;
}

export type KnownPropertyName = keyof KnownProperties;

/** How they are read, with the reference implementation's defaults. */
const KNOWN: { readonly [K in KnownPropertyName]: KnownProperty<KnownProperties[K]> } = {
  'commit.retry.num-retries': known(count, 4),
  'commit.retry.min-wait-ms': known(milliseconds, 100),
  'commit.retry.max-wait-ms': known(milliseconds, MINUTE_MS),
  'commit.retry.total-timeout-ms': known(milliseconds, 30 * MINUTE_MS),
  'commit.manifest.target-size-bytes': known(positive, 8 * MB),
  'commit.manifest.min-count-to-merge': known(count, 100),
  'commit.manifest-merge.enabled': known(bool, true),
  'write.format.default': known(oneOf('parquet', 'avro', 'orc'), 'parquet'),
  'write.delete.format.default': maybe(oneOf('parquet', 'avro', 'orc')),
  'write.target-file-size-bytes': known(positive, 512 * MB),
  'write.delete.target-file-size-bytes': known(positive, 64 * MB),
  'write.parquet.row-group-size-bytes': known(positive, 128 * MB),
  'write.parquet.page-size-bytes': known(positive, MB),
  'write.parquet.page-row-limit': known(positive, 20_000),
  'write.parquet.dict-size-bytes': known(positive, 2 * MB),
  'write.parquet.compression-codec': known(
    oneOf('zstd', 'gzip', 'snappy', 'lz4', 'lz4_raw', 'brotli', 'uncompressed'),
    'zstd',
  ),
  'write.parquet.compression-level': maybe(wholeNumber(-131_072, 22)),
  'write.parquet.bloom-filter-max-bytes': known(positive, MB),
  'write.avro.compression-codec': known(oneOf('gzip', 'zstd', 'snappy', 'uncompressed'), 'gzip'),
  'write.manifest.compression-codec': known(oneOf('gzip', 'zstd', 'snappy', 'uncompressed'), 'gzip'),
  'write.object-storage.enabled': known(bool, false),
  'write.object-storage.partitioned-paths': known(bool, true),
  'write.data.path': maybe(path),
  'write.metadata.path': maybe(path),
  'write.metadata.compression-codec': known(oneOf('none', 'gzip'), 'none'),
  'write.metadata.previous-versions-max': known(count, 100),
  'write.metadata.delete-after-commit.enabled': known(bool, false),
  'write.metadata.metrics.default': maybe(metricsMode),
  'write.metadata.metrics.max-inferred-column-defaults': known(count, 100),
  'write.summary.partition-limit': known(count, 0),
  'write.distribution-mode': maybe(oneOf('none', 'hash', 'range')),
  'write.delete.mode': known(rowLevelMode, 'copy-on-write'),
  'write.update.mode': known(rowLevelMode, 'copy-on-write'),
  'write.merge.mode': known(rowLevelMode, 'copy-on-write'),
  // As Iceberg's writer for Spark has it: a file about one data file is read for no other, and replaced with the next.
  'write.delete.granularity': known(oneOf('file', 'partition'), 'file'),
  'write.delete.isolation-level': known(isolationLevel, 'serializable'),
  'write.update.isolation-level': known(isolationLevel, 'serializable'),
  'write.merge.isolation-level': known(isolationLevel, 'serializable'),
  'write.wap.enabled': known(bool, false),
  'read.split.target-size': known(positive, 128 * MB),
  'read.split.metadata-target-size': known(positive, 32 * MB),
  'read.split.planning-lookback': known(positive, 10),
  'read.split.open-file-cost': known(wholeNumber(0), 4 * MB),
  'history.expire.max-snapshot-age-ms': known(age, 5 * DAY_MS),
  'history.expire.min-snapshots-to-keep': known(wholeNumber(1, 0x7fff_ffff), 1),
  'history.expire.max-ref-age-ms': known(age, Number.MAX_SAFE_INTEGER),
  'gc.enabled': known(bool, true),
  'schema.name-mapping.default': maybe(text),
};

const METRICS_COLUMN_PREFIX = 'write.metadata.metrics.column.';
const BLOOM_ENABLED_PREFIX = 'write.parquet.bloom-filter-enabled.column.';
const BLOOM_RATIO_PREFIX = 'write.parquet.bloom-filter-fpp.column.';

/** Properties of one column each, whose name is the rest of the key. */
const OF_COLUMNS: Readonly<Record<string, PropertyType<unknown>>> = {
  [METRICS_COLUMN_PREFIX]: metricsMode,
  [BLOOM_ENABLED_PREFIX]: bool,
  [BLOOM_RATIO_PREFIX]: ratio,
};

/**
 * A property's value, or its default. INVALID_ARGUMENT for a value it can't have; but what only guides reading
 * (`read.*`) has its default then, since a bad property must not make a table unreadable.
 */
export function tableProperty<K extends KnownPropertyName>(properties: Properties, key: K): KnownProperties[K] {
  const { type, missing }: KnownProperty<KnownProperties[K]> = KNOWN[key];
  const given = Object.hasOwn(properties, key) ? properties[key] : undefined;
  if (given === undefined) return missing;
  return key.startsWith('read.') ? (type.parse(given) ?? missing) : parsed(key, given, type);
}

/**
 * Checks properties that are about to be set; values of names that aren't ours are nobody's business here.
 * INVALID_ARGUMENT for a reserved name, for what is no text, as metadata with it could not be read again, and for a bad
 * value, which later would fail every write.
 */
export function checkTableProperties(properties: Properties): void {
  for (const [key, value] of Object.entries(properties)) {
    checkNotReserved(key);
    if (typeof value !== 'string') throw invalidArgument(`The value of the property '${key}' must be a string.`);
    checkValue(key, value);
  }
}

/**
 * Checks all that guides writing, of a table that is about to be written: INVALID_ARGUMENT for a value that one of its
 * properties can't have. Those that only one kind of write looks at count as well, lest a job fails one day only.
 */
export function checkWriteProperties(properties: Properties): void {
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith('write.') || key.startsWith('commit.')) checkValue(key, value);
  }
}

function checkValue(key: string, value: string): void {
  if (Object.hasOwn(KNOWN, key)) parsed<unknown>(key, value, KNOWN[key as KnownPropertyName].type);
  for (const [prefix, type] of Object.entries(OF_COLUMNS)) if (key.startsWith(prefix)) parsed(key, value, type);
}

/** Names that Iceberg keeps for metadata that is not a property, with where to go instead. */
const RESERVED: Readonly<Record<string, string>> = {
  'format-version': 'give it as formatVersion, or use upgradeFormatVersion',
  uuid: 'it never changes',
  'snapshot-count': 'it is computed',
  'current-snapshot-id': 'use setCurrentSnapshot',
  'current-snapshot-summary': 'it is computed',
  'current-snapshot-timestamp-ms': 'it is computed',
  'current-schema': 'use updateSchema',
  'default-partition-spec': 'use updateSpec',
  'default-sort-order': 'use updateSortOrder',
};

/** INVALID_ARGUMENT for a name that can't be set as a property. */
export function checkNotReserved(key: string): void {
  if (Object.hasOwn(RESERVED, key)) throw invalidArgument(`'${key}' is not a property: ${RESERVED[key]!}.`);
}

/** The mode set for one column by its full name, or null if only the default applies. */
export function columnMetricsMode(properties: Properties, column: string): MetricsMode | null {
  const key = METRICS_COLUMN_PREFIX + column;
  const given = Object.hasOwn(properties, key) ? properties[key] : undefined;
  return given === undefined ? null : parsed(key, given, metricsMode);
}

/** The columns, by their full names, that readers are to find values in by a bloom filter. */
export function bloomFilterColumns(
  properties: Properties,
): readonly { readonly column: string; readonly falsePositiveRatio: number | null }[] {
  return Object.entries(properties).flatMap(([key, value]) => {
    if (!key.startsWith(BLOOM_ENABLED_PREFIX) || !parsed(key, value, bool)) return [];
    const column = key.slice(BLOOM_ENABLED_PREFIX.length);
    const ratioKey = BLOOM_RATIO_PREFIX + column;
    const given = Object.hasOwn(properties, ratioKey) ? properties[ratioKey] : undefined;
    return [{ column, falsePositiveRatio: given === undefined ? null : parsed(ratioKey, given, ratio) }];
  });
}

export interface CommitRetryPolicy {
  /** How often to try again after the first attempt. */
  readonly retries: number;
  readonly minWaitMs: number;
  readonly maxWaitMs: number;
  readonly totalTimeoutMs: number;
}

export function commitRetryPolicy(properties: Properties): CommitRetryPolicy {
  return {
    retries: tableProperty(properties, 'commit.retry.num-retries'),
    minWaitMs: tableProperty(properties, 'commit.retry.min-wait-ms'),
    maxWaitMs: tableProperty(properties, 'commit.retry.max-wait-ms'),
    totalTimeoutMs: tableProperty(properties, 'commit.retry.total-timeout-ms'),
  };
}

export interface ManifestMergePolicy {
  readonly enabled: boolean;
  readonly minCountToMerge: number;
  readonly targetSizeBytes: number;
}

export function manifestMergePolicy(properties: Properties): ManifestMergePolicy {
  return {
    enabled: tableProperty(properties, 'commit.manifest-merge.enabled'),
    minCountToMerge: tableProperty(properties, 'commit.manifest.min-count-to-merge'),
    targetSizeBytes: tableProperty(properties, 'commit.manifest.target-size-bytes'),
  };
}

/** Up to how many changed partitions a snapshot's summary lists each of them; 0 for never. */
export function summaryPartitionLimit(properties: Properties): number {
  return tableProperty(properties, 'write.summary.partition-limit');
}

function parsed<T>(key: string, given: string, type: PropertyType<T>): T {
  const value = type.parse(given);
  if (value !== undefined) return value;
  throw invalidArgument(`The table property '${key}' must be ${type.expected}, not '${given.slice(0, 100)}'.`, {
    property: key,
  });
}
