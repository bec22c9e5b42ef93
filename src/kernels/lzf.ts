import { lzfCompressPlain, lzfDecompressPlain } from './lzf-plain.js';
import { LZF_INPUT_MAX, LZF_OUTPUT_MAX, LzfWasm } from './lzf-wasm.js';

/** Below these sizes of the plain bytes, copying them in and out costs more than WebAssembly saves. */
const DECOMPRESS_WASM_FROM = 128;
const COMPRESS_WASM_FROM = 40;

let wasm: LzfWasm | null | undefined;

/** The compiled kernel, made when first wanted; null where WebAssembly is switched off. */
function lzfWasm(): LzfWasm | null {
  if (wasm === undefined) wasm = LzfWasm.create();
  return wasm;
}

/**
 * Decompresses the LZF stream `input[inputStart..inputEnd)` into exactly `output[outputStart..outputEnd)`. False when
 * the stream is malformed, reaches before its own start, or yields another number of bytes; the output range then
 * holds garbage. Nothing outside the ranges is touched.
 */
export function lzfDecompress(
  input: Uint8Array,
  inputStart: number,
  inputEnd: number,
  output: Uint8Array,
  outputStart: number,
  outputEnd: number,
): boolean {
  const size = outputEnd - outputStart;
  if (size >= DECOMPRESS_WASM_FROM && size <= LZF_OUTPUT_MAX && inputEnd - inputStart <= LZF_INPUT_MAX) {
    const kernel = lzfWasm();
    if (kernel !== null)
      return kernel.decompress(input, inputStart, inputEnd, output, outputStart, outputEnd);
  }
  return lzfDecompressPlain(input, inputStart, inputEnd, output, outputStart, outputEnd);
}

/**
 * Compresses `input[inputStart..inputEnd)` into `output` from `outputStart`, using at most `budget` bytes there.
 * Returns the number of bytes written, 0 when they would not suffice. Any LZF decoder reads the result; its bytes are
 * not those of the C library.
 */
export function lzfCompress(
  input: Uint8Array,
  inputStart: number,
  inputEnd: number,
  output: Uint8Array,
  outputStart: number,
  budget: number,
): number {
  const size = inputEnd - inputStart;
  if (size >= COMPRESS_WASM_FROM && size <= LZF_INPUT_MAX && budget <= LZF_OUTPUT_MAX) {
    const kernel = lzfWasm();
    if (kernel !== null) return kernel.compress(input, inputStart, inputEnd, output, outputStart, budget);
  }
  return lzfCompressPlain(input, inputStart, inputEnd, output, outputStart, budget);
}
