import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { embeddedFile } from '../../bytes/embedded.js';
import { ScriptStopped } from './stopped.js';

/** The optional package that brings Lua 5.1, and the release whose imports and exports are the ones known here. */
const PACKAGE = 'wasmoon-lua5.1';
const VERSION = '1.18.10';
const FILE = 'liblua5.1.wasm';

let compiled: WebAssembly.Module | null = null;

/**
 * Lua 5.1 as WebAssembly, compiled when the first script asks for it. Of the package only this file is used: its glue,
 * which knows files and the environment, is never loaded.
 *
 * @throws ScriptStopped when the package is not installed or is not the one known here
 */
export function luaModule(): WebAssembly.Module {
  compiled ??= compileLua(PACKAGE);
  return compiled;
}

/** @throws ScriptStopped as above, for a package of that name */
export function compileLua(name: string): WebAssembly.Module {
  const bytes = embeddedFile(FILE) ?? readFileSync(pathIn(name));
  try {
    return new WebAssembly.Module(Buffer.from(bytes));
  } catch (error) {
    throw absent(error instanceof Error ? error.message : String(error));
  }
}

function pathIn(name: string): string {
  try {
    return createRequire(import.meta.url).resolve(`${name}/dist/${FILE}`);
  } catch {
    throw absent('not installed');
  }
}

/** What to say when there is no Lua to run a script with. */
export function absent(reason: string): ScriptStopped {
  return new ScriptStopped({
    code: 'aof/script-engine',
    detail: { package: `${PACKAGE}@${VERSION}`, reason },
  });
}
