import { expect, it } from 'vitest';
import { reportFailure } from '../../src/cli/failure.js';
import type { Io } from '../../src/cli/io.js';

function told(error: unknown): { readonly exit: number; readonly text: string } {
  let text = '';
  const stderr = { write: (part: string) => (text += part) };
  return { exit: reportFailure(error, [], { stderr } as unknown as Io), text };
}

it('names a package that is not installed, and takes no other error for that', () => {
  const ours = Object.assign(new Error("Cannot find package 'ioredis' imported from /somewhere/a.js"), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
  expect(told(ours)).toEqual({
    exit: 4,
    text:
      'rekindle: this takes the package ioredis, which is not installed\n' +
      '  try: npm install ioredis where rekindle is (with -g where rekindle was installed so)\n',
  });
  expect(told(new Error("Cannot find package 'ioredis'")).text).toMatch(/^rekindle: internal error/);
});
