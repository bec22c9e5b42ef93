import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { THOROUGH } from '../support/effort.js';

/** What the build of the kernels exports. */
interface Build {
  readonly KERNELS: Readonly<Record<string, unknown>>;
  placeOf(name: string): URL;
  generate(name: string): Promise<string>;
  sourcesDigest(name: string): Promise<string>;
}

const build = (await import('../../src/kernels/assembly/build.mjs' as string)) as Build;
const names = Object.keys(build.KERNELS);

describe('the committed WebAssembly', () => {
  it('is there for every kernel, and for nothing else', () => {
    const files = readdirSync(new URL('../../src/kernels/wasm/', import.meta.url)).sort();
    expect(files).toEqual(names.map((name) => `${name}.generated.ts`).sort());
  });

  it.each(names)('is made from the sources that stand there: %s', async (name) => {
    const line = readFileSync(build.placeOf(name), 'utf8').split('\n')[1];
    expect(line).toBe(`// Sources and compiler: ${await build.sourcesDigest(name)}`);
  });

  // Compiling takes longer than all else here: .ci/run does it beside the tests, by `npm run build:wasm -- --check`.
  if (THOROUGH) {
    it.each(names)(
      'is what its source compiles to: %s',
      async (name) => {
        expect(await build.generate(name)).toBe(readFileSync(build.placeOf(name), 'utf8'));
      },
      180_000,
    );
  }
});
