import { fileURLToPath } from 'node:url';
import { defineConfig } from 'rolldown';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

// What is loaded together, in the order in which it is: each chunk with all that its modules need and no earlier one has.
// A file costs as much to find and open as thirty kilobytes to read, and left to itself the bundler makes sixty of what
// one command loads.
const CHUNKS = [
  ['start', ['src/cli/invocation.ts', 'src/cli/run.ts']],
  ['early', ['src/cli/begin-early.ts']],
  ['records', ['src/bytes/source.ts', 'src/tools/check/rdb-back.ts']],
  ['program', ['src/cli/program.ts']],
  ['check', ['src/cli/commands/check.ts']],
];
let chunkOf = null;

const groups = CHUNKS.map(([name], place) => ({
  debugName: name,
  name: (id, context) => ((chunkOf ??= chunksByModule(context)).get(id) === name ? name : null),
  priority: CHUNKS.length - place,
}));

function chunksByModule(context) {
  const found = new Map();
  const visit = (id, chunk) => {
    const info = found.has(id) ? null : context.getModuleInfo(id);
    if (info === null) return;
    found.set(id, chunk);
    for (const imported of info.importedIds) visit(imported, chunk);
  };
  for (const [chunk, roots] of CHUNKS) {
    for (const root of roots) {
      if (context.getModuleInfo(ROOT + root) === null)
        throw new Error(`.config/rolldown.config.js: no ${root} any more`);
      visit(ROOT + root, chunk);
    }
  }
  return found;
}

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
    codeSplitting: { groups },
    // Blanks alone: half the bytes to load and to publish, and names stay readable in a stack.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    comments: { legal: true, annotation: true, jsdoc: false },
  },
});
