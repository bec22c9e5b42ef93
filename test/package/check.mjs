// What is published, held to what is promised of it: packs the package as npm does, looks at what is in it, lints it,
// compiles a program against its types, runs that, and bundles one function of it. Takes a finished `npm run build`.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { rolldown } from 'rolldown';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, '../..');
const MAX_BYTES = 2_000_000;

const room = mkdtempSync(join(tmpdir(), 'rekindle-package-'));
const failures = [];
const expect = (holds, what) => {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}`);
  if (!holds) failures.push(what);
};

try {
  const packing = ['pack', '--ignore-scripts', '--json', '--pack-destination', room];
  const [packed] = JSON.parse(
    execFileSync('npm', packing, { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  const tarball = join(room, packed.filename);
  const names = packed.files.map(({ path }) => path);
  expect(packed.size < MAX_BYTES, `${names.length} files in ${(packed.size / 1e6).toFixed(2)} MB, packed`);
  const wanted = /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|(dist|docs|man)\/.*)$/;
  const odd = names.filter((name) => !wanted.test(name) || /^dist\/src\/cli\/|\.map$/.test(name));
  expect(odd.length === 0, `nothing in it that nobody needs ${odd.slice(0, 5).join(' ')}`);

  const { buffer } = new Uint8Array(readFileSync(tarball));
  const { messages } = await publint({ pack: { tarball: buffer }, strict: true });
  expect(messages.length === 0, `publint finds nothing ${messages.map(({ code }) => code).join(' ')}`);

  const program = join(room, 'program');
  const modules = join(program, 'node_modules');
  mkdirSync(join(modules, 'rekindle'), { recursive: true });
  execFileSync('tar', ['xzf', tarball, '-C', join(modules, 'rekindle'), '--strip-components=1']);
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  for (const name of [...Object.keys(dependencies), '@types']) link(name, modules);
  writeFileSync(join(program, 'package.json'), '{ "type": "module" }');
  for (const name of ['consumer.ts', 'shaken.ts']) cpSync(join(HERE, name), join(program, name));

  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  for (const [module, resolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    const options = ['--strict', '--target', 'es2023', '--types', 'node', '--outDir', 'out'];
    options.push('--exactOptionalPropertyTypes', '--module', module, '--moduleResolution', resolution);
    let said = '';
    try {
      execFileSync(process.execPath, [tsc, ...options, 'consumer.ts'], { cwd: program, encoding: 'utf8' });
    } catch (error) {
      said = `\n${error.stdout}`;
    }
    expect(said === '', `a strict program compiles against its types (${resolution})${said}`);
  }
  execFileSync(process.execPath, ['out/consumer.js'], { cwd: program });
  const version = execFileSync(
    process.execPath,
    ['node_modules/rekindle/dist/bin/rekindle.js', '--version'],
    {
      cwd: program,
      encoding: 'utf8',
    },
  );
  expect(version.includes(packed.version), `its command says its version, ${version.trim().split('\n')[0]}`);

  const bundle = await rolldown({ input: join(program, 'shaken.ts'), platform: 'node', logLevel: 'silent' });
  const { output } = await bundle.generate({ format: 'es' });
  const kept = output.flatMap(({ modules = {} }) =>
    Object.entries(modules).flatMap(([path, { renderedLength }]) => (renderedLength > 0 ? [path] : [])),
  );
  const needless =
    /node_modules\/(commander|ioredis|hyparquet-writer)\/|rekindle\/dist\/src\/(live|keyspace|salvage|aof)\//;
  const bytes = output.reduce((sum, { code = '' }) => sum + code.length, 0);
  const left = kept.filter((path) => needless.test(path));
  expect(
    left.length === 0,
    `readRdb alone bundles to ${Math.round(bytes / 1000)} kB ${left.slice(0, 5).join(' ')}`,
  );
} finally {
  rmSync(room, { recursive: true, force: true });
}
process.exitCode = failures.length === 0 ? 0 : 1;

function link(name, modules) {
  mkdirSync(dirname(join(modules, name)), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
}
