import { describe, expect, it } from 'vitest';
import { MemorySource } from '../../src/bytes/source.js';
import { indexTar, isTar } from '../../src/bytes/tar.js';
import { TarTree } from '../../src/bytes/tar-tree.js';
import { type TarEntry, tar } from '../support/tar-writer.js';

const file = (name: string, text = name): TarEntry => ({ name, bytes: Buffer.from(text) });

async function index(bytes: Buffer) {
  const source = new MemorySource(bytes, 'x.tar');
  return { source, found: await indexTar(source) };
}

async function names(...entries: TarEntry[]): Promise<string[]> {
  return [...(await index(tar(entries))).found.members.keys()];
}

async function textOf(bytes: Buffer, path: string): Promise<string> {
  const { source, found } = await index(bytes);
  const member = await new TarTree(source, found).open(path);
  const reader = await member.open();
  const into = Buffer.alloc(member.size + 10);
  let filled = 0;
  for (let count = 1; count > 0; filled += count) count = await reader.read(into.subarray(filled));
  return into.latin1Slice(0, filled);
}

describe('an archive', () => {
  it('is told by magic and checksum', () => {
    const bytes = tar([file('a')]);
    expect(isTar(bytes)).toBe(true);
    bytes[0]! ^= 1;
    expect(isTar(bytes)).toBe(false);
    expect(isTar(Buffer.alloc(100))).toBe(false);
  });

  it('lists its files under plain names', async () => {
    const long = `${'directory/'.repeat(30)}file`;
    const entries = [
      { name: './data/', type: '5' },
      file('./data/dump.rdb'),
      { ...file('short'), prefix: 'some/prefix' },
      { name: 'ignored', pax: { path: long }, bytes: Buffer.from('long') },
      { name: 'ignored', gnuName: `gnu/${long}`, bytes: Buffer.from('gnu') },
    ];
    expect(await names(...entries)).toEqual(['data/dump.rdb', 'some/prefix/short', long, `gnu/${long}`]);
    expect(await textOf(tar(entries), `x.tar:/gnu/${long}`)).toBe('gnu');
  });

  it('gives of several members of one name the last', async () => {
    expect(await textOf(tar([file('a', 'old'), file('b'), file('./a', 'new')]), 'x.tar:/a')).toBe('new');
  });

  it('holds large members, and sizes in both notations', async () => {
    const large = Buffer.alloc(3_000_000, 'x');
    const entries = [{ name: 'large', bytes: large, base256: true }, file('after')];
    expect(await textOf(tar(entries), 'x.tar:/after')).toBe('after');
    expect((await textOf(tar(entries), 'x.tar:/large')).length).toBe(large.length);
  });

  it('holds a file under several names, which are hard links', async () => {
    const long = `${'directory/'.repeat(30)}file`;
    const bytes = tar([
      file('data/a', 'text'),
      { name: './snapshot/a', type: '1', link: './data/a' },
      { name: 'b', type: '1', pax: { linkpath: 'snapshot/a' } },
      { name: 'ignored', gnuName: long, bytes: Buffer.from('far') },
      { name: 'c', type: '1', gnuLink: long },
    ]);
    expect(await textOf(bytes, 'x.tar:/c')).toBe('far');
    for (const name of ['data/a', 'snapshot/a', 'b'])
      expect(await textOf(bytes, `x.tar:/${name}`)).toBe('text');
  });

  it('is read as the seventh Unix wrote it, and without what stands beside files', async () => {
    const old = tar([file('a'), file('b')]);
    for (const at of [0, 1024]) {
      old.fill(0, at + 257, at + 265);
      const sum = old
        .subarray(at, at + 512)
        .reduce((all, byte, i) => all + (i >= 148 && i < 156 ? 32 : byte), 0);
      old.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148);
    }
    expect(isTar(old)).toBe(true);
    expect([...(await index(old)).found.members.keys()]).toEqual(['a', 'b']);
    const { found } = await index(
      tar([{ name: 'full', type: 'V' }, { name: 'd', type: 'D' }, file('._a'), file('d/._b'), file('a')]),
    );
    expect([...found.members.keys(), ...found.skipped]).toEqual(['a']);
  });

  it('may end without its two empty blocks', async () => {
    const bytes = tar([file('a'), file('b')]);
    expect([...(await index(bytes.subarray(0, bytes.length - 1024))).found.members.keys()]).toEqual([
      'a',
      'b',
    ]);
  });
});

describe('what leads out of an archive', () => {
  it.each([
    ['a link', { name: 'l', type: '2', link: '/etc/passwd' }, 'symbolic link'],
    [
      'a hard link to elsewhere',
      { name: 'l', type: '1', link: '/etc/passwd' },
      'hard link to a file that is not before it in the archive',
    ],
    ['a device', { name: 'l', type: '3' }, 'not a file'],
    ['a pipe', { name: 'l', type: '6' }, 'not a file'],
    ['a sparse file', { ...file('l'), type: 'S' }, 'sparse file'],
    ['a sparse file of pax', { ...file('l'), pax: { 'GNU.sparse.major': '1' } }, 'sparse file'],
    ['an absolute name', file('/etc/passwd'), 'leads out of the archive'],
    ['a name with ..', file('a/../../b'), 'leads out of the archive'],
    ['a name with .. in pax', { ...file('a'), pax: { path: '../b' } }, 'leads out of the archive'],
    ['a zero byte in pax', { ...file('a'), pax: { path: 'a\0b' } }, 'leads out of the archive'],
  ] as const)('%s is left out, and named', async (_what, entry, why) => {
    const { found } = await index(tar([entry as TarEntry, file('kept')]));
    expect([...found.members.keys()]).toEqual(['kept']);
    expect(found.skipped.map((each) => each.why)).toEqual([why]);
  });
});

describe('damage', () => {
  const refused = async (bytes: Buffer, code: string, detail: object) => {
    await expect(index(bytes)).rejects.toMatchObject({ code, detail: { packing: 'tar', ...detail } });
  };

  it('is told with its place', async () => {
    const bytes = tar([file('a'), file('b', 'x'.repeat(2000))]);
    const changed = Buffer.from(bytes);
    changed[1024 + 3] = 1;
    await refused(changed, 'packed/corrupt', { reason: 'header-checksum' });
    await refused(bytes.subarray(0, 1024 + 600), 'packed/truncated', { reading: 'member b' });
    await refused(bytes.subarray(0, 1024 + 100), 'packed/truncated', { reading: 'header' });
  });

  it('of sizes is not believed', async () => {
    await refused(tar([{ name: 'a', size: 8 ** 11 - 1 }]), 'packed/truncated', {});
    await refused(tar([{ name: 'a', size: 2 ** 62, base256: true }]), 'packed/corrupt', { reason: 'size' });
    await refused(tar([{ name: 'a', type: 'x', size: 1 << 30 }]), 'packed/corrupt', {
      reason: 'extended-header-too-long',
    });
    await refused(tar([{ name: 'a', type: 'L', size: 1 << 30 }]), 'packed/corrupt', {
      reason: 'extended-header-too-long',
    });
    for (const record of ['9999 path=a\n', 'x path=a\n', '5 a\n', '-1 path=a\n', '12 size=99x\n']) {
      await refused(tar([{ name: 'a', type: 'x', bytes: Buffer.from(record) }]), 'packed/corrupt', {});
    }
  });

  it('anywhere ends in a list or an error, never otherwise', async () => {
    const bytes = tar([file('a'), { ...file('b'), pax: { path: 'other' } }]);
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 0x55;
      const outcome = await index(changed).then(
        () => 'listed',
        (error) => error.code as string,
      );
      expect(['listed', 'packed/corrupt', 'packed/truncated']).toContain(outcome);
    }
  });
});

it('a tree starts where the files are', async () => {
  const root = async (...entries: TarEntry[]) => {
    const { source, found } = await index(tar(entries));
    return new TarTree(source, found).root;
  };
  expect(await root(file('dump.rdb'))).toBe('x.tar:/');
  expect(await root(file('data/dump.rdb'), file('data/redis.conf'))).toBe('x.tar:/data');
  expect(await root(file('var/lib/redis/appendonlydir/a'), file('var/lib/redis/dump.rdb'))).toBe(
    'x.tar:/var/lib/redis',
  );
  expect(await root()).toBe('x.tar:/');
  const { source, found } = await index(tar([file('a/b/c'), file('a/d')]));
  const tree = new TarTree(source, found);
  expect(await tree.list('x.tar:/a')).toEqual(['b', 'd']);
  expect(await tree.look('x.tar:/a/b')).toEqual({ kind: 'directory', size: 0 });
  expect(await tree.look('x.tar:/a/d')).toEqual({ kind: 'file', size: 3 });
  expect(await tree.look('x.tar:/a/e')).toBeNull();
  expect(tree.parent('x.tar:/a/b')).toBe('x.tar:/a');
  await expect(tree.open('x.tar:/a/e')).rejects.toMatchObject({ code: 'input/missing' });
});
