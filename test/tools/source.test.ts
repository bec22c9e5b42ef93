import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sniff } from '../../src/tools/sniff.js';
import { openSource } from '../../src/tools/source.js';
import { corpusBytes, corpusPath } from '../support/corpus.js';
import { temporaryDirectory } from '../support/temporary.js';

const RDB = corpusBytes('redis-7.0.15', 'small.rdb');
const LOG = Buffer.from('*1\r\n$8\r\nFLUSHALL\r\n');
const NEITHER = { prefer: null, stdin: null, signal: null } as const;

/** A directory with these files; a name with a slash makes a directory in it. */
function directoryOf(files: Readonly<Record<string, string | Buffer>>): string {
  const directory = temporaryDirectory('source');
  for (const [name, content] of Object.entries(files)) {
    if (name.includes('/')) mkdirSync(join(directory, name, '..'), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  return directory;
}

async function kindOf(path: string, options: Parameters<typeof openSource>[1] = NEITHER): Promise<string> {
  const source = await openSource(path, options);
  if (source.kind === 'rdb') return `rdb ${source.bytes.label.split('/').at(-1)}`;
  return `aof ${source.set.files.map((file) => file.name).join(' ')}`;
}

const refusal = (code: string) => expect.objectContaining({ name: 'InputError', code });

describe('a file is told by its content', () => {
  it.each([
    ['an RDB', 'notes.txt', RDB, 'rdb notes.txt'],
    ['an AOF', 'dump.rdb', LOG, 'aof dump.rdb'],
    ['an AOF that starts with an annotation', 'x', Buffer.from('#TS:1772366400\r\n'), 'aof x'],
    ['an RDB that says a log follows', 'x', Buffer.concat([preamble(), LOG]), 'aof x'],
    ['an RDB that a log follows all the same', 'x', Buffer.concat([RDB, LOG]), 'aof x'],
    ['a damaged RDB, by its name', 'x.rdb', Buffer.from('RADIS0010'), 'rdb x.rdb'],
    ['a damaged AOF, by its name', 'x.aof', Buffer.from('!3\r\n'), 'aof x.aof'],
    ['an empty AOF, by its name', 'x.aof', Buffer.alloc(0), 'aof x.aof'],
    ['an empty RDB, by its name', 'x.rdb', Buffer.alloc(0), 'rdb x.rdb'],
  ])('%s', async (_what, name, content, expected) => {
    expect(await kindOf(join(directoryOf({ [name]: content }), name))).toBe(expected);
  });

  it('a manifest, by its first line behind comments', async () => {
    const directory = directoryOf({
      'a.manifest': '# comment\nfile x.1.incr.aof seq 1 type i\n',
      'x.1.incr.aof': LOG,
    });
    expect(await kindOf(join(directory, 'a.manifest'))).toBe('aof x.1.incr.aof');
  });

  it('bytes behind an RDB that no log starts with are no log', async () => {
    const directory = directoryOf({ x: Buffer.concat([RDB, Buffer.from('garbage\r\n')]) });
    expect(await kindOf(join(directory, 'x'))).toBe('rdb x');
  });

  it.each([
    ['input/unknown-format', Buffer.from('hello')],
    ['input/empty', Buffer.alloc(0)],
    ['input/packed', Buffer.from('02214c18', 'hex')],
    ['input/packed', Buffer.from('fd377a585a00', 'hex')],
  ])('%s', (code, content) => {
    expect(() => sniff(content, 'x')).toThrow(refusal(code));
  });

  function preamble(): Buffer {
    return corpusBytes('redis-7.0.15', 'seed-app/appendonlydir/appendonly.aof.2.base.rdb');
  }
});

describe('a directory', () => {
  it('gives its AOF, and says what else it has', async () => {
    const directory = directoryOf({ 'dump.rdb': RDB, 'appendonly.aof': LOG });
    const source = await openSource(directory, NEITHER);
    expect(source.kind).toBe('aof');
    expect(source.choice).toBe(`${directory}: the AOF is taken, not dump.rdb (--prefer rdb)`);
    expect(await kindOf(directory, { prefer: 'rdb', stdin: null, signal: null })).toBe('rdb dump.rdb');
  });

  it('gives its RDB when there is no AOF', async () => {
    const directory = directoryOf({ 'dump.rdb': RDB, 'other.rdb': RDB, 'temp-12.rdb': RDB });
    expect(await kindOf(directory)).toBe('rdb dump.rdb');
    await expect(openSource(directory, { prefer: 'aof', stdin: null, signal: null })).rejects.toThrow(
      refusal('input/no-dataset'),
    );
  });

  it('gives the set of an append-only directory, from above and from inside', async () => {
    const files = 'aof appendonly.aof.2.base.rdb appendonly.aof.2.incr.aof';
    for (const path of ['seed-app', 'seed-app/appendonlydir']) {
      expect(await kindOf(corpusPath('redis-7.0.15', path))).toBe(files);
    }
  });

  it.each([
    ['input/no-dataset', {}, 'is an empty directory'],
    ['input/no-dataset', { 'notes.txt': 'x' }, 'does not hold'],
    ['input/ambiguous', { 'a.rdb': RDB, 'b.rdb': RDB }, 'several RDBs'],
  ])('%s %j', async (code, files, message) => {
    const opening = openSource(directoryOf(files), NEITHER);
    await expect(opening).rejects.toThrow(refusal(code));
    await expect(opening).rejects.toThrow(message);
  });

  it('points to a save that did not finish', async () => {
    const directory = directoryOf({ 'temp-99.rdb': RDB });
    await expect(openSource(directory, NEITHER)).rejects.toThrow(
      expect.objectContaining({ hint: expect.stringContaining('temp-99.rdb') as string }),
    );
  });
});

describe('standard input', () => {
  const pipe = async function* (...chunks: Buffer[]) {
    yield* chunks;
  };

  it('is told by its first bytes however they come', async () => {
    const bytes = [...RDB].map((byte) => Buffer.from([byte]));
    expect(await kindOf('-', { prefer: null, stdin: pipe(...bytes), signal: null })).toBe('rdb <stdin>');
    expect(await kindOf('-', { prefer: null, stdin: pipe(LOG), signal: null })).toBe('aof <stdin>');
  });

  it('gives every byte once', async () => {
    const chunks = [RDB.subarray(0, 7), RDB.subarray(7)];
    const source = await openSource('-', { prefer: null, stdin: pipe(...chunks), signal: null });
    if (source.kind !== 'rdb') throw new Error('an RDB was piped');
    const reader = await source.bytes.open();
    const read: Buffer[] = [];
    for (;;) {
      const into = Buffer.alloc(100);
      const count = await reader.read(into);
      if (count === 0) break;
      read.push(into.subarray(0, count));
    }
    expect(Buffer.concat(read).equals(RDB)).toBe(true);
  });

  it('cannot be a manifest', async () => {
    const stdin = pipe(Buffer.from('file x seq 1 type b\n'));
    await expect(openSource('-', { prefer: null, stdin, signal: null })).rejects.toThrow(
      refusal('input/manifest-on-stdin'),
    );
  });
});

it('what is not there is said to be missing', async () => {
  await expect(openSource('no/such/file', NEITHER)).rejects.toThrow(refusal('input/missing'));
});
