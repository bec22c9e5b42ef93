import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatManifest, parseManifest } from '../../src/aof/manifest.js';
import { CORRUPT_SERVERS, corruptCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { describeServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

const parse = (text: string) => parseManifest(Buffer.from(text, 'latin1'));
const codes = (text: string) => parse(text).problems.map(({ code, line }) => `${code}:${line}`);
const BASE = 'file a.aof.2.base.rdb seq 2 type b\n';
const INCR = 'file a.aof.2.incr.aof seq 2 type i\n';

describe('what a manifest says', () => {
  test('base, increments and history with their places', () => {
    const manifest = parse(`${BASE}file a.aof.1.incr.aof seq 1 type h\n# comment\n${INCR}`);
    expect(manifest.problems).toEqual([]);
    expect(manifest.base).toEqual({
      name: 'a.aof.2.base.rdb',
      seq: 2,
      type: 'b',
      startOffset: null,
      endOffset: null,
      line: 1,
      offset: 0,
    });
    expect(manifest.history.map(({ name, line, offset }) => [name, line, offset])).toEqual([
      ['a.aof.1.incr.aof', 2, 35],
    ]);
    expect(manifest.increments.map(({ name, line, offset }) => [name, line, offset])).toEqual([
      ['a.aof.2.incr.aof', 4, 80],
    ]);
  });

  test('keys in any case and order, the last of a repeated one, unknown ones skipped', () => {
    const { base, problems } = parse('TYPE i Seq 7 color red type bx FILE first file second\n');
    expect(problems).toEqual([]);
    expect(base).toMatchObject({ name: 'second', seq: 7, type: 'b' });
  });

  test('names in quotes', () => {
    const { base, increments } = parse(
      'file "a b\\x41\\n\\"\\q" seq 1 type b\n' +
        "file 'it\\'s' seq 1 type i\n" +
        'file x"y z" seq 2 type i\n',
    );
    expect(base?.name).toBe('a bA\n"q');
    expect(increments.map(({ name }) => name)).toEqual(["it's", 'xy z']);
  });

  test('blanks, CR LF and tabs around and between words', () => {
    expect(codes(' \tfile  a\tseq 1\ttype b \r\n')).toEqual([]);
  });

  test('replication offsets', () => {
    const text = 'file a seq 3 type i startoffset 67 endoffset 125\n';
    expect(parse(text).increments[0]).toMatchObject({ startOffset: 67, endOffset: 125 });
    expect(formatManifest(parse(text)).latin1Slice()).toBe(text);
  });

  test('numbers as far as they go', () => {
    expect(parse('file a seq 12x type i\n').increments[0]?.seq).toBe(12);
    expect(parse('file a seq -3 type b\n').base?.seq).toBe(-3);
    expect(parse('file a seq 9223372036854775807 type i\n').increments[0]?.seq).toBe(9223372036854775807n);
    expect(parse(`file a seq ${'9'.repeat(40)} type i\n`).increments[0]?.seq).toBe(9223372036854775807n);
  });
});

describe('what is wrong with one', () => {
  test.each([
    ['', ['manifest/empty:0']],
    ['# only a comment\n', []],
    ['\n', ['manifest/bad-line:1']],
    [`${BASE}  \n${INCR}`, ['manifest/bad-line:2']],
    [BASE.trimEnd(), ['manifest/line-too-long:1']],
    [`${BASE}file a.aof.2.incr.aof seq 2 type\n`, ['manifest/bad-line:2']],
    ['file a seq 1\n', ['manifest/bad-line:1']],
    ['file a seq 0 type b\n', ['manifest/bad-line:1']],
    ['file a seq x type b\n', ['manifest/bad-line:1']],
    ['seq 1 type b seq 1\n', ['manifest/bad-line:1']],
    ['file a seq 1 type ""\n', ['manifest/bad-line:1']],
    ['file "a seq 1 type b\n', ['manifest/bad-line:1']],
    ['file "a"b seq 1 type b\n', ['manifest/bad-line:1']],
    ['file a seq 1 type x\n', ['manifest/unknown-type:1']],
    [BASE + BASE, ['manifest/duplicate-base:2']],
    [INCR + INCR, ['manifest/bad-order:2']],
    ['file ../a seq 1 type b\n', ['manifest/path-in-name:1']],
    ['file a\\\\b seq 1 type b\n', ['manifest/path-in-name:1']],
    ['file .. seq 1 type b\n', ['manifest/path-in-name:1']],
    ['file a\0b seq 1 type b\n', ['manifest/line-too-long:1']],
    [`${'x'.repeat(1100)}\n`, ['manifest/line-too-long:1', 'manifest/bad-line:2']],
    [`#${'x'.repeat(1100)}\n`, ['manifest/bad-line:2']],
  ])('%j', (text, expected) => {
    expect(codes(text)).toEqual(expected);
  });

  test('good lines are told all the same, with the trimmed text of the bad', () => {
    const manifest = parse(`${BASE}  file ?\r\n${INCR}`);
    expect(manifest.base).not.toBe(null);
    expect(manifest.increments).toHaveLength(1);
    expect(manifest.problems).toEqual([
      {
        code: 'manifest/bad-line',
        line: 2,
        offset: 35,
        message: 'Invalid AOF manifest file format',
        text: 'file ?',
      },
    ]);
  });
});

describe('writing one', () => {
  test('base, history, increments, in that order', () => {
    const text = `${INCR}file h seq 1 type h\n${BASE}`;
    expect(formatManifest(parse(text)).latin1Slice()).toBe(`${BASE}file h seq 1 type h\n${INCR}`);
  });

  test('names are quoted as the server quotes them', () => {
    const line = { name: 'a b\\"\n\r\t\x07\b\0\x7f\xe9~', seq: 1, type: 'b' } as const;
    const text = formatManifest({ base: line, increments: [] }).latin1Slice();
    expect(text).toBe('file "a b\\\\\\"\\n\\r\\t\\a\\b\\x00\\x7f\\xe9~" seq 1 type b\n');
  });

  test('is read back as it was', () => {
    const random = new Random(3);
    for (let i = 0; i < 300; i++) {
      const name = Array.from({ length: 1 + random.below(12) }, () => 1 + random.below(255))
        .filter((c) => c !== 47 && c !== 92)
        .map((c) => String.fromCharCode(c))
        .join('');
      const line = { name: `n${name}`, seq: 1 + random.below(1000), type: 'i' } as const;
      const read = parseManifest(formatManifest({ base: null, increments: [line] }));
      expect(read.problems).toEqual([]);
      expect(read.increments[0]).toMatchObject(line);
    }
  });
});

/** The server's own words for the first problem; empty when it takes the manifest. */
function theirVerdict(output: string): string {
  const index = output.indexOf('*** FATAL AOF MANIFEST FILE ERROR ***');
  if (index < 0) return '';
  return output
    .trimEnd()
    .split('\n')
    .at(-1)!
    .replace(/^(.* )?# /, '');
}

const WITH_MANIFESTS = CORRUPT_SERVERS.filter((server) => /^redis-[789]/.test(server));

test.each(WITH_MANIFESTS)('damaged manifests are judged as %s judged them', (server) => {
  const cases = corruptCases(server).filter(({ name }) => name.startsWith('manifest-'));
  expect(cases.length).toBeGreaterThan(30);
  for (const { title, name, path, truth } of cases) {
    if (name === 'manifest-absent') continue;
    const bytes = readFileSync(join(path, 'appendonlydir/appendonly.aof.manifest'));
    const ours = parseManifest(bytes).problems[0]?.message ?? '';
    expect(ours, title).toBe(theirVerdict(truth.load.log.join('\n')));
  }
});

describeServer('manifests as redis-check-aof reads them', () => {
  test('random lines', () => {
    const directory = temporaryDirectory('manifest');
    const path = join(directory, 'm.manifest');
    const random = new Random(2026);
    const words = [
      'file',
      'FILE',
      'seq',
      'type',
      'a',
      'b',
      'i',
      'h',
      '0',
      '1',
      '2',
      '-1',
      '"x y"',
      "'z'",
      '"',
      "'",
    ];
    words.push('"\\x41"', 'a/b', 'c\\d', '#', '\v', '\0', 'startoffset', '"q"q', '\xff', '');
    for (let i = 0; i < (THOROUGH ? 400 : 30); i++) {
      // The first line makes it a manifest to the tool; files that are missing are not this test's business.
      let text = 'file absent seq 1 type h\n';
      for (let line = random.between(1, 3); line > 0; line--) {
        const usual = ['file', 'x', 'seq', String(random.below(4)), 'type', random.pick(['b', 'i', 'h'])];
        const count = random.below(4);
        for (let k = 0; k < count; k++) {
          if (random.once(2)) usual[random.below(usual.length)] = random.pick(words);
          else usual.splice(random.below(usual.length + 1), random.below(2), random.pick(words));
        }
        text += usual.join(random.pick([' ', ' ', '  ', '\t'])) + random.pick(['\n', '\n', '\n', '\r\n', '']);
      }
      writeFileSync(path, text, 'latin1');
      const { stdout } = spawnSync('redis-check-aof', [path], { encoding: 'latin1' });
      const theirs = theirVerdict(stdout);
      expect(parse(text).problems[0]?.message ?? '', JSON.stringify(text)).toBe(theirs);
    }
  });
});
