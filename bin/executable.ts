import { getRawAsset } from 'node:sea';
import { embedFiles } from '../src/bytes/embedded.js';
import { commandLineOf } from '../src/cli/invocation.js';
import { processIo, run } from '../src/cli/run.js';
import * as xxhash from '../src/kernels/xxhash.js';

// The program as one executable: what would lie beside it, code of threads and WebAssembly, is inside.
embedFiles((name) => {
  try {
    return new Uint8Array(getRawAsset(name) as ArrayBuffer);
  } catch {
    return null;
  }
});
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
// The name it was called by tells of links to it; the second word is the same path always.
const line = commandLineOf([process.execPath, process.argv0, ...process.argv.slice(2)]);

async function start(): Promise<void> {
  await (xxhash as { readonly ready?: Promise<void> }).ready;
  process.exitCode = await run(line, processIo());
}

void start();
