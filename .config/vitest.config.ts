import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: '.',
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/temporary-root.ts'],
    // What is asked to be thorough takes minutes a test, more of them beside other work: a time would end what is sound.
    testTimeout: process.env['REKINDLE_FUZZ_RUNS'] === undefined ? 60_000 : 3_600_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // A third of the time would go into loading the same modules and unpacking the same archives for every file.
    isolate: false,
    // By their content, in node_modules: a second run has nothing to translate.
    experimental: { fsModuleCache: true },
  },
});
