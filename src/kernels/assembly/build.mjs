// Compiles the kernels in this folder and writes them, as base64, into ../wasm.generated.ts. Run by
// `npm run build:wasm`; a test compiles again and compares.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const KERNELS = [
  { name: 'CRC64_WASM', file: 'crc64.ts', pages: 3 },
  { name: 'LZ4_WASM', file: 'lz4.ts', pages: 130 },
  { name: 'LZ4_PACK_WASM', file: 'lz4-pack.ts', pages: 5 },
  { name: 'LZF_WASM', file: 'lzf.ts', pages: 53 },
  { name: 'RECORDS_WASM', file: 'records.ts', pages: 78 },
  { name: 'RDB_LINES_WASM', file: 'rdb-lines.ts', pages: 192 },
  { name: 'SHA1_WASM', file: 'sha1.ts', pages: 1 },
];
const here = fileURLToPath(new URL('.', import.meta.url));

/** The compiled module of one kernel. */
async function compile({ file, pages }) {
  const result = { bytes: null };
  const { error, stderr } = await asc.main(
    [
      file,
      '--baseDir', here,
      '--outFile', 'out.wasm',
      '--runtime', 'stub',
      '--noAssert',
      '-O3',
      '--converge',
      '--enable', 'simd',
      '--initialMemory', String(pages),
      '--maximumMemory', String(pages),
    ],
    {
      writeFile: (name, contents) => {
        if (name.endsWith('.wasm')) result.bytes = contents;
      },
    },
  );
  if (error) throw new Error(`${file}: ${error.message}\n${stderr}`);
  return Buffer.from(result.bytes);
}

/** The whole text of wasm.generated.ts. */
export async function generate() {
  const parts = ['// Made by `npm run build:wasm` from assembly/*.ts. Do not edit.'];
  for (const kernel of KERNELS) {
    const base64 = (await compile(kernel)).toString('base64');
    parts.push(`export const ${kernel.name} =\n  '${base64}';`);
  }
  return `${parts.join('\n\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(new URL('../wasm.generated.ts', import.meta.url), await generate());
}
