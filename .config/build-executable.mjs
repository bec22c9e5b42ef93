// Makes dist/rekindle: this Node.js with the program, the code of its threads, Lua and the optional packages inside, by
// Node's support for single executables. The notices of everything that is in it are written beside it.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'postject';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ROOM = join(ROOT, 'dist/executable');
const OUT = join(ROOT, 'dist', process.platform === 'win32' ? 'rekindle.exe' : 'rekindle');
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
/** Threads run from text that lies nowhere: nothing is to be found beside it. */
const NOWHERE = '"file:///C:/rekindle/"';

/** An executable starts with a script, which cannot wait while it is loaded: it waits for `ready` then. */
const withoutAwait = {
  name: 'without-await',
  transform(code, path) {
    if (!path.endsWith('kernels/xxhash.ts')) return null;
    const [was, becomes] = [/const api\b.* = await xxhash\(\)\.catch\(\(\) => null\);/, 'let api = null;'];
    if (!was.test(code)) throw new Error(`${path} does not wait as it did`);
    const ready = 'export const ready = xxhash().then((found) => { api = found; }, () => {});';
    return `${code.replace(was, becomes)}\n${ready}\n`;
  },
};

const packages = new Set();
rmSync(ROOM, { recursive: true, force: true });
mkdirSync(ROOM, { recursive: true });

const main = await bundled('bin/executable.ts', 'cjs');
const assets = {
  'thread-entry.js': await bundled('src/tools/thread-entry.ts', 'es'),
  'part-thread-entry.js': await bundled('src/tools/replay/parts/part-thread-entry.ts', 'es'),
  'unpack-thread-entry.js': await bundled('src/bytes/unpack-thread-entry.ts', 'es'),
};
const lua = join(ROOT, 'node_modules/wasmoon-lua5.1/dist/liblua5.1.wasm');
if (existsSync(lua)) {
  assets['liblua5.1.wasm'] = lua;
  packages.add('wasmoon-lua5.1');
}

const blob = join(ROOM, 'rekindle.blob');
const config = { main, output: blob, disableExperimentalSEAWarning: true, useCodeCache: true, assets };
writeFileSync(join(ROOM, 'sea.json'), JSON.stringify(config, null, 2));
execFileSync(process.execPath, ['--experimental-sea-config', join(ROOM, 'sea.json')], { stdio: 'pipe' });
rmSync(OUT, { force: true });
copyFileSync(process.execPath, OUT);
chmodSync(OUT, 0o755);
if (process.platform === 'darwin') execFileSync('codesign', ['--remove-signature', OUT]);
await inject(OUT, 'NODE_SEA_BLOB', readFileSync(blob), {
  sentinelFuse: FUSE,
  ...(process.platform === 'darwin' && { machoSegmentName: 'NODE_SEA' }),
});
if (process.platform === 'darwin') execFileSync('codesign', ['--sign', '-', OUT]);
writeFileSync(join(ROOT, 'dist/rekindle-notices.txt'), notices());
rmSync(ROOM, { recursive: true, force: true });
console.log(execFileSync(OUT, ['--version'], { encoding: 'utf8' }).trim(), OUT);

/** The path of a file that holds the entry and all it may ever load. */
async function bundled(entry, format) {
  const bundle = await rolldown({
    cwd: ROOT,
    input: entry,
    platform: 'node',
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    logLevel: 'warn',
    plugins: format === 'cjs' ? [withoutAwait] : [],
  });
  const { output } = await bundle.generate({
    format,
    codeSplitting: false,
    ...(format === 'cjs' && { dynamicImportInCjs: false }),
    comments: { legal: true, annotation: true, jsdoc: false },
  });
  const [chunk] = output;
  for (const path of Object.keys(chunk.modules)) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(path)?.[1];
    if (name !== undefined) packages.add(name);
  }
  const to = join(ROOM, chunk.fileName.replace(/\.js$/, format === 'cjs' ? '.cjs' : '.js'));
  writeFileSync(to, format === 'es' ? chunk.code.replaceAll('import.meta.url', NOWHERE) : chunk.code);
  return to;
}

function notices() {
  const parts = [`rekindle\n\n${readFileSync(join(ROOT, 'LICENSE'), 'utf8')}`];
  for (const name of [...packages].sort()) {
    const place = join(ROOT, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'));
    const file = readdirSync(place).find((each) => /^licen[cs]e/i.test(each));
    const text = file === undefined ? '' : `\n${readFileSync(join(place, file), 'utf8')}`;
    parts.push(`${name} ${version}, ${license}\n${text}`);
  }
  parts.push(`Node.js ${process.version}: https://github.com/nodejs/node/blob/${process.version}/LICENSE\n`);
  return parts.join(`\n${'-'.repeat(80)}\n\n`);
}
