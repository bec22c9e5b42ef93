import { expect, it } from 'vitest';
import { Glob } from '../../../src/model/glob.js';
import { type PrefixNode, PrefixTree } from '../../../src/tools/memory/prefix-tree.js';

/** A tree of these names, each of so many bytes. */
function treeOf(names: Iterable<string>, memoryBytes = 100): PrefixTree {
  const tree = new PrefixTree();
  for (const name of names) {
    const bytes = Buffer.from(name, 'latin1');
    tree.add(bytes, 0, bytes.length, 10, memoryBytes, name.length % 2 === 0);
  }
  return tree;
}

const many = (count: number, name: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => name(i));

/** Patterns of the first level with their keys, largest first. */
const groups = (names: Iterable<string>): [string, number][] =>
  treeOf(names)
    .result()
    .children.map(({ pattern, keys }) => [pattern, keys]);

const patternsOf = (node: PrefixNode): string[] => [node.pattern, ...node.children.flatMap(patternsOf)];

it('takes numbers, ids and dates for one', () => {
  const uuid = (i: number) => `${(0x10000000 + i * 7919).toString(16)}-1234-4abc-beef-0123456789ab`;
  expect(
    groups([
      ...many(60, (i) => `user:${i}:name`),
      ...many(50, (i) => `session:${uuid(i)}`),
      ...many(40, (i) => `page/2026-01-${10 + i}/${i}.html`),
      ...many(30, (i) => `token:${(i * 1e9 + 1e15).toString(16)}`),
      ...many(20, (i) => `10.0.${i}.7`),
      'version',
    ]),
  ).toEqual([
    ['user:*:name', 60],
    ['session:*', 50],
    ['page/*/*.html', 40],
    ['token:*', 30],
    ['*', 20],
    ['version', 1],
  ]);
});

it('guesses what separates on every level', () => {
  const kinds = many(30, (i) => `${'abcdef'[i % 6]}${'uvwxyz'[Math.floor(i / 6)]}`);
  const tree = treeOf(
    many(900, (i) => (i % 9 === 8 ? `app.queue.${i}` : `app.cache.${kinds[(i * 7) % 30]}:user_${i}`)),
  ).result();
  expect(tree.children.map(({ pattern, keys }) => [pattern, keys])).toEqual([
    ['app.cache.*', 800],
    ['app.queue.*', 100],
  ]);
  expect(tree.children[0]!.children.map(({ pattern }) => pattern).sort()).toEqual(
    kinds.map((kind) => `app.cache.${kind}:user_*`).sort(),
  );
});

it('holds a colon for a better separator than a dash or an underscore', () => {
  expect(
    groups([...many(50, (i) => `user_profile-v2:${i}`), ...many(40, (i) => `user_profile-v3:${i}`)]),
  ).toEqual([
    ['user_profile-v2:*', 50],
    ['user_profile-v3:*', 40],
  ]);
});

it('takes names of things together when there are too many of them', () => {
  const name = (i: number) =>
    String.fromCharCode(...[97 + (i % 26), 97 + ((i / 26) % 26), 97 + ((i / 676) % 26)]);
  const tree = treeOf(many(3000, (i) => `user:${name(i)}:${i % 3 === 0 ? 'mail' : 'name'}`)).result();
  expect(patternsOf(tree)).toEqual(['user:*:*', 'user:*:name', 'user:*:mail']);
  expect(tree.children.map(({ keys }) => keys)).toEqual([2000, 1000]);
});

it('gives patterns that match every key of their group', () => {
  const names = [
    ...many(100, (i) => `a*b[${i}]?:\\${i}`),
    ...many(100, (i) => `caf\xc3\xa9:${i}:\xff\x00\x01`),
    ...many(100, (i) => `{tag${i}}:x`),
    '',
    ':',
    '::',
    'x:',
    '\x00',
    'a'.repeat(2000),
    `a:${'b'.repeat(200)}:c`,
    many(40, (i) => `d${i}`).join(':'),
  ];
  const result = treeOf(names).result();
  expect(result.keys).toBe(names.length);
  for (const name of names) {
    const bytes = Buffer.from(name, 'latin1');
    let node: PrefixNode | undefined = result;
    while (node !== undefined) {
      expect(new Glob(node.pattern).matches(bytes, 0, bytes.length), node.pattern).toBe(true);
      node = node.children.find((child) => new Glob(child.pattern).matches(bytes, 0, bytes.length));
    }
  }
});

it('counts every key once on each level', () => {
  const result = treeOf(many(5000, (i) => `${'abcdefg'[i % 7]}:${i % 11}:${'xyz'[i % 3]}.${i}`)).result();
  const hold = (node: PrefixNode): void => {
    if (node.children.length === 0) return;
    for (const field of ['keys', 'fileBytes', 'memoryBytes', 'withExpiry'] as const) {
      expect(node.children.reduce((sum, child) => sum + child[field], 0)).toBe(node[field]);
    }
    node.children.forEach(hold);
  };
  hold(result);
  expect(result).toMatchObject({ keys: 5000, fileBytes: 50_000, memoryBytes: 500_000 });
});

it('stays within its bounds, and keeps what is heavy', () => {
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  const word = (i: number, length: number): string =>
    Array.from({ length }, (_, k) => letters[Math.floor(i / 26 ** k) % 26]!).join('');
  const tree = new PrefixTree();
  const add = (name: string, bytes: number): void =>
    tree.add(Buffer.from(name), 0, name.length, bytes, bytes, false);
  for (let i = 0; i < 60_000; i++) {
    // Every group twenty keys: none of them looks like a thing.
    add(`${word(i % 3000, 4)}:${word(i % 7, 3)}:${word(i, 5)}:leaf`, 10);
    if (i % 10 === 0) add(`heavy:cart:${i}`, 1000);
  }
  const result = tree.result();
  expect(patternsOf(result).length).toBeLessThanOrEqual(16_384);
  expect(result.children[0]).toMatchObject({ pattern: 'heavy:cart:*', keys: 6000 });
  expect(result.keys).toBe(66_000);
});
