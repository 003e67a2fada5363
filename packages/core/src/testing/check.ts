import { isLakehouseError, type ErrorCode, type LakehouseError } from '../errors.ts';

/** One named case of a conformance suite: it resolves when the subject conforms and rejects with what is wrong. */
export interface ConformanceCase<Subject> {
  readonly name: string;
  run(make: () => Promise<Subject>): Promise<void>;
}

export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Compares values that JSON can show: numbers, strings, arrays, plain objects. */
export function checkEqual(actual: unknown, expected: unknown, what: string): void {
  const [left, right] = [show(actual), show(expected)];
  check(left === right, `${what}: expected ${right}, got ${left}`);
}

export function checkBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  check(actual.length === expected.length, `${what}: expected ${expected.length} bytes, got ${actual.length}`);
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  check(at < 0, `${what}: byte ${at} differs`);
}

/** The error that a promise is rejected with, which must have the given code. */
export async function checkRejects(promise: Promise<unknown>, code: ErrorCode, what: string): Promise<LakehouseError> {
  try {
    await promise;
  } catch (error) {
    if (isLakehouseError(error, code)) return error;
    const got = isLakehouseError(error) ? error.code : String(error);
    throw new Error(`${what}: expected ${code}, got ${got}`, { cause: error });
  }
  throw new Error(`${what}: expected ${code}, but it succeeded`);
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const result: T[] = [];
  for await (const item of items) result.push(item);
  return result;
}

function show(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? `${item}n` : item)) ?? 'undefined';
}
