declare module 'snappyjs' {
  export function compress(bytes: Uint8Array): Uint8Array;
  /** Throws for anything but a Snappy block of at most `maxLength` bytes. */
  export function uncompress(bytes: Uint8Array, maxLength: number): Uint8Array;
}
