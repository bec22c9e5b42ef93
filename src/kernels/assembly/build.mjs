// Compiles the kernels in this folder and writes each, as base64, into ../wasm/. Run by `npm run build:wasm`, which takes
// names of kernels (`crc64`) to compile those alone; a test holds the results to the digests of their sources. With
// `--check` nothing is written: it compiles again and fails when the result is not what stands there (.ci/run).
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** By their files; `pages` of 64 KiB each. */
export const KERNELS = {
  crc64: { pages: 5 },
  'entry-join': { pages: 1, maxPages: 65536 },
  engine: { pages: 64, maxPages: 65536, shared: true },
  'log-scan': { pages: 69 },
  lz4: { pages: 130 },
  'lz4-pack': { pages: 5 },
  lzf: { pages: 53 },
  records: { pages: 97 },
  'rdb-check': { pages: 200 },
  'rdb-lines': { pages: 192 },
  sha1: { pages: 1 },
  'text-digest': { pages: 30 },
};
const here = fileURLToPath(new URL('.', import.meta.url));
const COMPILER = '../../../node_modules/assemblyscript/package.json';
const OPTIONS = ['--runtime', 'stub', '--noAssert', '-O3', '--converge'];

/** What the compiler is told of a kernel besides its file; `shared`: threads may have its memory in common. `maxPages`: how far it grows. */
function optionsOf({ pages, maxPages = pages, shared = false }) {
  const memory = ['--initialMemory', String(pages), '--maximumMemory', String(maxPages)];
  const threads = shared ? ['--enable', 'threads', '--sharedMemory', '--importMemory'] : [];
  return [...OPTIONS, '--enable', 'simd', ...memory, ...threads];
}

/** The compiled module of one kernel. */
async function compile(name) {
  const { default: asc } = await import('assemblyscript/asc');
  const result = { bytes: null };
  const { error, stderr } = await asc.main(
    [`${name}.ts`, '--baseDir', here, '--outFile', 'out.wasm', ...optionsOf(KERNELS[name])],
    {
      writeFile: (file, contents) => {
        if (file.endsWith('.wasm')) result.bytes = contents;
      },
    },
  );
  if (error) throw new Error(`${name}: ${error.message}\n${stderr}`);
  return Buffer.from(result.bytes);
}

/** What a compiled kernel comes from: the compiler, what it is told, and every source that the kernel is made of. */
export async function sourcesDigest(name) {
  const hash = createHash('sha256').update(optionsOf(KERNELS[name]).join(' '));
  hash.update(JSON.parse(await readFile(here + COMPILER, 'utf8')).version);
  const files = [`${name}.ts`];
  // Grows while it is walked.
  for (const file of files) {
    const text = await readFile(here + file, 'utf8');
    hash.update(`${file}\0${text}`);
    for (const [, imported] of text.matchAll(/ from '\.\/([a-z0-9-]+)'/g)) {
      if (!files.includes(`${imported}.ts`)) files.push(`${imported}.ts`);
    }
  }
  return hash.digest('hex');
}

/** Where a kernel's compiled form is kept. */
export function placeOf(name) {
  return new URL(`../wasm/${name}.generated.ts`, import.meta.url);
}

/** The whole text of that file. */
export async function generate(name) {
  const exported = `${name.toUpperCase().replaceAll('-', '_')}_WASM`;
  const head =
    `// Made by \`npm run build:wasm\` from assembly/${name}.ts. Do not edit.\n` +
    `// Sources and compiler: ${await sourcesDigest(name)}`;
  return `${head}\nexport const ${exported}: string =\n  '${(await compile(name)).toString('base64')}';\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2).filter((word) => word !== '--check');
  const checks = process.argv.includes('--check');
  for (const name of names.length > 0 ? names : Object.keys(KERNELS)) {
    const text = await generate(name);
    if (!checks) await writeFile(placeOf(name), text);
    else if ((await readFile(placeOf(name), 'utf8')) !== text) {
      console.error(`${name}: wasm/${name}.generated.ts is not what its source compiles to`);
      process.exitCode = 1;
    }
  }
}
