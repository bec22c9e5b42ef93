import { createHash, type Hash } from 'node:crypto';
import { sha1OfDigestPlain, sha1Plain } from './sha1-plain.js';
import { SHA1_INPUT_MAX, Sha1Wasm } from './sha1-wasm.js';

/** Five big-endian words of a SHA-1 result. */
export const SHA1_WORDS = 5;

let wasm: Sha1Wasm | null | undefined;

/** The compiled kernel, made when first wanted; null where WebAssembly is switched off. */
function sha1Wasm(): Sha1Wasm | null {
  if (wasm === undefined) wasm = Sha1Wasm.create();
  return wasm;
}

/** SHA-1 of `bytes[start..end)` as five words into `out`. Makes no objects for inputs of a few dozen bytes. */
export function sha1(bytes: Uint8Array, start: number, end: number, out: Int32Array): void {
  const kernel = sha1Wasm();
  if (end - start > SHA1_INPUT_MAX) sha1Native(bytes, start, end, out);
  else if (kernel !== null) kernel.sha1(bytes, start, end, out);
  else sha1Plain(bytes, start, end, out);
}

/** SHA-1 of the twenty bytes that `words` stand for. `out` may be `words`. */
export function sha1OfDigest(words: Int32Array, out: Int32Array): void {
  const kernel = sha1Wasm();
  if (kernel !== null) kernel.sha1OfDigest(words, out);
  else sha1OfDigestPlain(words, out);
}

function sha1Native(bytes: Uint8Array, start: number, end: number, out: Int32Array): void {
  const digest = createHash('sha1').update(bytes.subarray(start, end)).digest();
  for (let i = 0; i < SHA1_WORDS; i++) out[i] = digest.readInt32BE(4 * i);
}

/** SHA-1 of bytes that come piece by piece. */
export class RunningSha1 {
  private hash: Hash | null = null;

  update(bytes: Uint8Array, start: number, end: number): void {
    this.hash ??= createHash('sha1');
    this.hash.update(bytes.subarray(start, end));
  }

  /** The words of all since the last one, into `out`. */
  finish(out: Int32Array): void {
    const digest = (this.hash ?? createHash('sha1')).digest();
    this.hash = null;
    for (let i = 0; i < SHA1_WORDS; i++) out[i] = digest.readInt32BE(4 * i);
  }
}

/** Forty lower-case hexadecimal digits. */
export function digestHex(words: Int32Array): string {
  let text = '';
  for (let i = 0; i < SHA1_WORDS; i++) text += (words[i]! >>> 0).toString(16).padStart(8, '0');
  return text;
}

const hexWords = new Int32Array(SHA1_WORDS);

/** SHA-1 of a byte range as `EVALSHA` names scripts. */
export function sha1Hex(bytes: Uint8Array, start = 0, end = bytes.length): string {
  sha1(bytes, start, end, hexWords);
  return digestHex(hexWords);
}
