// By tag, not by class alone: test runners and `vm` contexts give users classes of their own realm.

export function isBytes(input: unknown): input is Uint8Array {
  return input instanceof Uint8Array || Object.prototype.toString.call(input) === '[object Uint8Array]';
}

export function isDate(input: unknown): input is Date {
  return input instanceof Date || Object.prototype.toString.call(input) === '[object Date]';
}

/** An object literal, or what JSON.parse gives: no Map, no class of the user's. */
export function isPlainObject(input: object): input is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(input);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
