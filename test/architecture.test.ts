import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { FINDINGS } from '../src/model/finding.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What each room of src/ may know: files import from their own room or from one of a lower rank, never sideways. */
const RANKS: Readonly<Record<string, number>> = {
  'errors.ts': 0,
  kernels: 1,
  bytes: 2,
  model: 3,
  resp: 4,
  rdb: 4,
  ndjson: 4,
  aof: 5,
  keyspace: 5,
  salvage: 5,
  live: 6,
  tools: 7,
  'index.ts': 8,
  cli: 8,
};

const sources = filesIn('src', '.ts');
const tests = filesIn('test', '.ts');
const texts = new Map([...sources, ...tests, ...filesIn('bin', '.ts')].map((path) => [path, read(path)]));

describe('rooms of src/', () => {
  test('are those with a rank', () => {
    expect(sources.map(room).filter((name) => RANKS[name] === undefined)).toEqual([]);
  });

  test('import only from themselves and from lower ranks', () => {
    const wrong: string[] = [];
    for (const path of sources) {
      for (const target of importsOf(path)) {
        const own = room(path);
        const other = room(target);
        if (own === other) continue;
        if (!(RANKS[other]! < RANKS[own]!)) wrong.push(`${path} imports ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('import nothing from outside src/', () => {
    const outside = sources.flatMap((path) =>
      importsOf(path)
        .filter((target) => !target.startsWith('src/'))
        .map((target) => `${path} imports ${target}`),
    );
    expect(outside).toEqual([]);
  });

  test('leave the terminal to cli/ and packages to the rooms that need them', () => {
    const allowed: Readonly<Record<string, readonly string[]>> = {
      '@aws-sdk/client-s3': ['bytes'],
      commander: ['cli'],
      crc: ['kernels'],
      fzstd: ['kernels'],
      'hyparquet-writer': ['tools'],
      ioredis: ['live'],
      lz4js: ['kernels'],
      'xxhash-wasm': ['kernels'],
    };
    const wrong = sources.flatMap((path) =>
      packagesOf(path)
        .filter((name) => !(allowed[name]?.includes(room(path)) ?? false))
        .map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
    const talking = sources.filter(
      (path) => room(path) !== 'cli' && /\bconsole\.|\bprocess\./.test(code(path)),
    );
    expect(talking).toEqual([]);
  });

  test('see and change files through one list of calls, which tests can replace', () => {
    /** Those that look at the program itself, at /proc, or at nothing but whether a name is there. */
    const others: Readonly<Record<string, readonly string[]>> = {
      'src/bytes/disk.ts': ['constants'],
      'src/bytes/embedded.ts': ['existsSync'],
      'src/bytes/local-file.ts': ['constants'],
      'src/cli/suggest.ts': ['existsSync', 'readdirSync'],
      'src/cli/version-report.ts': ['existsSync'],
      'src/cli/write-manual.ts': ['mkdirSync', 'writeFileSync'],
      'src/keyspace/script/lua-module.ts': ['readFileSync'],
      'src/tools/log/follow.ts': ['watch'],
      'src/tools/repair/open-files.ts': ['readFileSync', 'readdirSync', 'readlinkSync'],
    };
    const found = sources.flatMap((path) => {
      const names = [...code(path).matchAll(/import (type )?\{([^}]*)\} from 'node:fs(\/promises)?'/g)]
        .filter(([, type]) => type === undefined)
        .flatMap(([, , list]) => list!.split(',').map((name) => name.trim()))
        .filter((name) => !/^(type .*)?$/.test(name));
      return names.length === 0 ? [] : [[path, names.sort()] as const];
    });
    expect(Object.fromEntries(found)).toEqual(others);
    const whole = sources.filter((path) => /(\* as \w+ from|import\() ?'node:fs/.test(code(path)));
    expect(whole).toEqual(['src/bytes/system.ts']);
  });
});

describe('files', () => {
  test('stay within 400 lines', () => {
    const long = [...texts].filter(([, text]) => text.split('\n').length > 401).map(([path]) => path);
    expect(long).toEqual([]);
  });

  test('are named after a noun of the field', () => {
    const homeless = /^(utils?|misc|common|helpers?|shared)(\.ts)?$/;
    expect([...texts.keys()].filter((path) => path.split('/').some((part) => homeless.test(part)))).toEqual(
      [],
    );
  });

  test('export by name only', () => {
    expect([...texts].filter(([, text]) => /^export default\b/m.test(text)).map(([path]) => path)).toEqual(
      [],
    );
  });

  test('switch no checks off and leave nothing for later', () => {
    // Written so that this file does not match itself.
    const banned =
      /\b(TOD[O]|FIXM[E]|XX[X])\b|@ts-(ignor[e]|expect-erro[r]|nochec[k])|biome-ignor[e]|\bas an[y]\b/;
    expect(matching(texts, banned)).toEqual([]);
  });

  test('run every test there is', () => {
    const narrowed = /\b(describe|it|test)\.(only|skip|todo)\b/;
    const inTests = new Map([...texts].filter(([path]) => path.endsWith('.test.ts')));
    expect(matching(inTests, narrowed).filter((line) => !line.includes('const narrowed'))).toEqual([]);
  });

  test('name no machine, registry or person', () => {
    const written = new Map(texts);
    for (const path of [
      'README.md',
      'CHANGELOG.md',
      'package.json',
      'package-lock.json',
      '.ci/run',
      '.npmrc',
    ]) {
      if (existsSync(join(ROOT, path))) written.set(path, read(path));
    }
    for (const path of [...filesIn('docs', '.md'), 'testdata/README.md']) written.set(path, read(path));
    const machine = /(^|[\s'"`(=])\/(hom[e]|roo[t]|wor[k]|User[s])\/|registr[y]\.[a-z]|"resolved": *"http/;
    expect(matching(written, machine)).toEqual([]);
  });
});

describe('public names', () => {
  test('are those agreed on', async () => {
    const names = [...read('src/index.ts').matchAll(/export (?:type )?\{([^}]*)\}/g)]
      .flatMap((match) => match[1]!.split(','))
      .map((name) => name.trim().replace(/^type /, ''))
      .filter((name) => name !== '');
    expect(new Set(names).size).toBe(names.length);
    await expect(`${names.sort().join('\n')}\n`).toMatchFileSnapshot('__snapshots__/public-names.txt');
  });

  test('are listed one by one', () => {
    expect(read('src/index.ts')).not.toMatch(/export \*/);
  });
});

describe('finding codes', () => {
  test('are each produced by some test', () => {
    const proofs = tests
      .filter((path) => path !== 'test/architecture.test.ts')
      .map((path) => texts.get(path)!);
    const goldens = filesIn('testdata/cli', '').map(read);
    const all = [...proofs, ...goldens].join('\n');
    expect(Object.keys(FINDINGS).filter((code) => !all.includes(code))).toEqual([]);
  });

  test('are all known where they are thrown', () => {
    const thrown = sources.flatMap((path) =>
      [...code(path).matchAll(/new FormatError\(\s*'([^']+)'/g)].map((match) => match[1]!),
    );
    expect(thrown.filter((code) => !(code in FINDINGS))).toEqual([]);
  });
});

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function filesIn(folder: string, ending: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/** `src/rdb/types/list.ts` is of the room `rdb`, `src/errors.ts` a room of its own. */
function room(path: string): string {
  return path.split('/')[1]!;
}

/** The text without comments. Good enough for the house style, which has no `//` inside code strings. */
function code(path: string): string {
  return texts.get(path)!.replace(/\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/.*$/gm, '');
}

function specifiersOf(path: string): string[] {
  const pattern = /(?:\bfrom\s+|\bimport\s+|\bimport\(\s*)'([^']+)'/g;
  return [...code(path).matchAll(pattern)].map((match) => match[1]!);
}

function importsOf(path: string): string[] {
  return specifiersOf(path)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => join(dirname(path), specifier).replace(/\.js$/, '.ts'));
}

function packagesOf(path: string): string[] {
  return specifiersOf(path)
    .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
    .map((specifier) => /^(@[^/]+\/)?[^/]+/.exec(specifier)![0]);
}

function matching(files: ReadonlyMap<string, string>, pattern: RegExp): string[] {
  return [...files].flatMap(([path, text]) =>
    text.split('\n').flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])),
  );
}
