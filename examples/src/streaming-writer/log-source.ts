// An append-only log: a directory of files with one JSON event per line, and in each file the offset that comes next.
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where a stream is: for each file, or partition of a topic, what comes next. A name always means the same file. */
export type Offsets = Readonly<Record<string, number>>;

export interface MicroBatch {
  readonly events: readonly object[];
  /** Where the batch after this one begins. */
  readonly offsets: Offsets;
}

export interface BatchOptions {
  readonly maxEvents: number;
  /** How long to wait for that many. */
  readonly maxWaitMs: number;
  readonly signal: AbortSignal;
}

const POLL_MS = 50;

/**
 * The events that follow `from`: as many as there are, up to a number and for a time. All that the writer needs of a
 * source: with Kafka, seek each partition to its offset, poll until there are `maxEvents` messages or the time is up, and
 * return them with the offsets after them. Nothing is committed to Kafka: the table knows where the stream is.
 */
export async function readBatch(directory: string, from: Offsets, options: BatchOptions): Promise<MicroBatch> {
  const { maxEvents, maxWaitMs, signal } = options;
  const deadline = Date.now() + maxWaitMs;
  const offsets: Record<string, number> = { ...from };
  const events: object[] = [];
  while (true) {
    for (const file of (await readdir(directory)).filter((name) => name.endsWith('.jsonl')).toSorted()) {
      const lines = await readLines(join(directory, file), offsets[file] ?? 0, maxEvents - events.length);
      if (lines.texts.length === 0) continue;
      events.push(...lines.texts.map(parseEvent));
      offsets[file] = lines.end;
    }
    if (events.length >= maxEvents || Date.now() >= deadline || signal.aborted) return { events, offsets };
    await sleep(POLL_MS, null, { signal }).catch(() => null);
  }
}

/** Whole lines only: of the last one, more may be on its way. */
async function readLines(path: string, start: number, atMost: number): Promise<{ texts: string[]; end: number }> {
  const texts: string[] = [];
  let end = start;
  if (atMost === 0) return { texts, end };
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { start }) as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk]);
    for (let at = rest.indexOf('\n'); at >= 0; at = rest.indexOf('\n')) {
      texts.push(rest.toString('utf8', 0, at));
      end += at + 1;
      rest = rest.subarray(at + 1);
      if (texts.length === atMost) return { texts, end };
    }
  }
  return { texts, end };
}

/** A line that is no event is kept as it came: nothing is lost, and it doesn't stop the stream. */
function parseEvent(line: string): object {
  try {
    const event: unknown = JSON.parse(line, withoutNothing);
    if (typeof event === 'object' && event !== null && !Array.isArray(event)) return event;
  } catch {
    // Not even JSON.
  }
  return { malformed: line };
}

/** Leaves out fields that hold nothing: `null`, `[]` and `{}` don't tell the type of a new column. */
function withoutNothing(this: unknown, _key: string, value: unknown): unknown {
  const isNothing = value === null || (typeof value === 'object' && Object.keys(value).length === 0);
  return isNothing && !Array.isArray(this) ? undefined : value;
}
