import { expect, test } from 'vitest';
import { compileLua } from '../../../src/keyspace/script/lua-module.js';
import { ScriptStopped } from '../../../src/keyspace/script/stopped.js';

test('without the optional package a script is stopped by what names it', () => {
  let stopped: unknown;
  try {
    compileLua('wasmoon-lua5.1-that-is-nowhere');
  } catch (error) {
    stopped = error;
  }
  expect(stopped).toBeInstanceOf(ScriptStopped);
  expect((stopped as ScriptStopped).obstacle).toEqual({
    code: 'aof/script-engine',
    detail: { package: 'wasmoon-lua5.1@1.18.10', reason: 'not installed' },
  });
});
