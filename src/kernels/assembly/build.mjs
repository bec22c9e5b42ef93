// Compiles the kernels in this folder and writes them, as base64, into ../wasm.generated.ts. Run by
// `npm run build:wasm`; a test holds it to the digest of its sources, and where all must hold (.ci/run) it compiles again.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const KERNELS = [
  { name: 'CRC64_WASM', file: 'crc64.ts', pages: 3 },
  { name: 'LZ4_WASM', file: 'lz4.ts', pages: 130 },
  { name: 'LZ4_PACK_WASM', file: 'lz4-pack.ts', pages: 5 },
  { name: 'LZF_WASM', file: 'lzf.ts', pages: 53 },
  { name: 'RECORDS_WASM', file: 'records.ts', pages: 78 },
  { name: 'RDB_LINES_WASM', file: 'rdb-lines.ts', pages: 192 },
  { name: 'SHA1_WASM', file: 'sha1.ts', pages: 1 },
  { name: 'TEXT_DIGEST_WASM', file: 'text-digest.ts', pages: 30 },
];
const here = fileURLToPath(new URL('.', import.meta.url));
const COMPILER = '../../../node_modules/assemblyscript/package.json';

/** The compiled module of one kernel. */
async function compile({ file, pages }) {
  const { default: asc } = await import('assemblyscript/asc');
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

/** What the compiled kernels come from: this file, the compiler, and every source that a kernel is made of. */
export async function sourcesDigest() {
  const hash = createHash('sha256').update(await readFile(here + 'build.mjs'));
  hash.update(JSON.parse(await readFile(here + COMPILER, 'utf8')).version);
  const files = KERNELS.map(({ file }) => file);
  // Grows while it is walked.
  for (const file of files) {
    const text = await readFile(here + file, 'utf8');
    hash.update(`${file}\0${text}`);
    for (const [, name] of text.matchAll(/ from '\.\/([a-z0-9-]+)'/g)) {
      if (!files.includes(`${name}.ts`)) files.push(`${name}.ts`);
    }
  }
  return hash.digest('hex');
}

/** The whole text of wasm.generated.ts. */
export async function generate() {
  const parts = [
    '// Made by `npm run build:wasm` from assembly/*.ts. Do not edit.\n' +
      `// Sources and compiler: ${await sourcesDigest()}`,
  ];
  for (const kernel of KERNELS) {
    const base64 = (await compile(kernel)).toString('base64');
    parts.push(`export const ${kernel.name} =\n  '${base64}';`);
  }
  return `${parts.join('\n\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(new URL('../wasm.generated.ts', import.meta.url), await generate());
}
