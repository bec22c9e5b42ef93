/** The part of lz4js that is used; it ships no types. */
declare module 'lz4js' {
  /** Decodes a block whose every step was checked before: returns the position after the last byte written. */
  export function decompressBlock(
    input: Uint8Array,
    output: Uint8Array,
    inputStart: number,
    inputLength: number,
    outputStart: number,
  ): number;
}

/** Its 32-bit hash, in one go, in plain JavaScript. */
declare module 'lz4js/xxh32.js' {
  export function hash(seed: number, bytes: Uint8Array, start: number, length: number): number;
}
