import { defineConfig } from 'rolldown';

// What the commands run from: a hundred modules loaded one by one would take longer than most commands do. The library
// stays as the compiler wrote it, one file per module, for bundlers and debuggers. All lie in one folder, where threads
// look for their entries beside the chunk that starts them.
export default defineConfig({
  input: {
    rekindle: 'bin/rekindle.ts',
    'rekindle-check-aof': 'bin/rekindle-check-aof.ts',
    'rekindle-check-rdb': 'bin/rekindle-check-rdb.ts',
    'thread-entry': 'src/tools/thread-entry.ts',
    'part-thread-entry': 'src/tools/replay/parts/part-thread-entry.ts',
    'unpack-thread-entry': 'src/bytes/unpack-thread-entry.ts',
  },
  platform: 'node',
  // Loaded by few commands, or not installed everywhere.
  external: [/^ioredis$/, /^hyparquet-writer/, /^@aws-sdk\//, /^wasmoon-lua5\.1/],
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  logLevel: 'warn',
  output: {
    dir: 'dist/bin',
    cleanDir: true,
    format: 'es',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    // Blanks alone: half the bytes to load and to publish, and names stay readable in a stack.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    comments: { legal: true, annotation: true, jsdoc: false },
  },
});
