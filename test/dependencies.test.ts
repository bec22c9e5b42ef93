import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Readonly<
  Record<string, Record<string, string> | undefined>
>;

test('every dependency is on the page with its reason', () => {
  const named = [...readFileSync('docs/dependencies.md', 'utf8').matchAll(/^\| `([^`]+)` \|/gm)].map(
    ([, name]) => name!,
  );
  const kinds = ['dependencies', 'optionalDependencies', 'peerDependencies', 'devDependencies'];
  const installed = kinds.flatMap((kind) => Object.keys(manifest[kind] ?? {}));
  expect([...named].sort()).toEqual([...installed].sort());
});
