import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: '.',
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/temporary-root.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // A third of the time would go into loading the same modules and unpacking the same archives for every file.
    isolate: false,
    // By their content, in node_modules: a second run has nothing to translate.
    experimental: { fsModuleCache: true },
  },
});
