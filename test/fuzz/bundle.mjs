import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { instrument } from './instrument.mjs';

const SOURCES = resolve('src') + sep;
const EDGES = '\0edges';
/** Made by whoever is loaded first. */
const COUNTERS = `
import { workerData } from 'node:worker_threads';
export const __edges = (globalThis.__edges ??= new Uint8Array((workerData.edges + 7) & ~7));
`;

/**
 * Numbers that are other ones here, by file: kernels and windows made for large files meet small ones, too. The sources
 * without WebAssembly keep theirs, so that both are compared.
 */
const TUNED = {
  'bytes/pump.ts': { HEADROOM: 64, CHUNK: 600 },
  'kernels/crc64.ts': { WASM_FROM: 24 },
  'kernels/lzf.ts': { DECOMPRESS_WASM_FROM: 8, COMPRESS_WASM_FROM: 8 },
  'kernels/records.ts': { QUEUE_FROM: 2 },
  'resp/passer.ts': { SCAN_FROM_BYTES: 0 },
  'tools/check/rdb-part.ts': { KERNEL_FROM_BYTES: 0 },
};

/** What one of is enough: those who have it begin with nothing of the one before, and to start it takes a millisecond. */
const KEPT = {
  'kernels/lz4.ts': 'Lz4Wasm.create()',
  'resp/passer.ts': 'createLogScan()',
  'tools/check/rdb-part.ts': 'createCheckKernel()',
};

/** Changes the text of a source as said above. @throws Error when it is not there any more */
function tuned(text, file) {
  let result = text;
  const replace = (pattern, by) => {
    const before = result;
    result = result.replace(pattern, by);
    if (result === before) throw new Error(`test/fuzz/bundle.mjs: ${file} has no ${pattern} any more`);
  };
  for (const [name, value] of Object.entries(TUNED[file] ?? {})) {
    replace(new RegExp(`const ${name} = [^;]+;`), `const ${name} = ${value};`);
  }
  const made = KEPT[file];
  if (made !== undefined) replace(made, `((globalThis.__kept ??= {})[${JSON.stringify(file)}] ??= ${made})`);
  return result;
}

/**
 * Bundles the fuzzer with the sources, every branch of them counted, and beside it the sources without WebAssembly: what
 * the kernels are compared with. Returns the number of counters and how many each file has.
 */
export async function bundle(directory) {
  const files = [];
  let edges = 0;
  const counted = {
    name: 'edges',
    resolveId: (id) => (id === EDGES ? EDGES : null),
    load: (id) => (id === EDGES ? COUNTERS : null),
    transform(code, id) {
      if (id === EDGES || !/\.(ts|mjs)$/.test(id)) return null;
      let text = placed(code, id);
      if (id.startsWith(SOURCES) && !id.endsWith('.generated.ts')) {
        const first = edges;
        text = instrument(tuned(text, id.slice(SOURCES.length)), () => edges++);
        files.push({ file: id.slice(SOURCES.length), first, count: edges - first });
        text = `import { __edges } from ${JSON.stringify(EDGES)};\n${text}`;
      }
      return { code: text, moduleType: 'ts' };
    },
  };
  await build({ fuzzer: 'test/fuzz/worker.ts' }, join(directory, 'counted'), counted);
  for (const file of Object.keys({ ...TUNED, ...KEPT })) {
    if (!files.some((met) => met.file === file))
      throw new Error(`test/fuzz/bundle.mjs: there is no ${file} any more`);
  }
  const plain = {
    name: 'plain',
    transform(code, id) {
      if (!id.endsWith('.ts')) return null;
      const text = placed(code, id);
      if (!id.startsWith(SOURCES) || id.includes('/script/')) return { code: text, moduleType: 'ts' };
      return { code: text.replace(/\bnew WebAssembly\./g, 'new (undefined as any).'), moduleType: 'ts' };
    },
  };
  await build({ twin: 'test/fuzz/twin.ts' }, join(directory, 'plain'), plain);
  const meta = { edges, files };
  writeFileSync(join(directory, 'meta.json'), JSON.stringify(meta));
  return meta;
}

/** Where a module stands is known by its own place, not by that of the bundle. */
const placed = (code, id) => code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href));

async function build(input, directory, plugin) {
  mkdirSync(directory, { recursive: true });
  const bundle = await rolldown({
    input,
    platform: 'node',
    external: [/^ioredis$/, /^hyparquet-writer/, /^@aws-sdk\//, /^wasmoon-lua5\.1/],
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    logLevel: 'silent',
    plugins: [plugin],
  });
  await bundle.write({ dir: directory, format: 'es', entryFileNames: '[name].js' });
  await bundle.close();
}
