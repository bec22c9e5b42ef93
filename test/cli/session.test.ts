import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { Io } from '../../src/cli/io.js';
import { Session } from '../../src/cli/session.js';
import type { Settings } from '../../src/cli/settings.js';

/** A stream that is full after every write. */
class Narrow extends EventEmitter {
  write(): boolean {
    return false;
  }
}

function sessionOn(stdout: Narrow): Session {
  const io: Partial<Io> = { stdout, stderr: stdout, env: {}, signal: new AbortController().signal };
  const settings: Partial<Settings> = { colorOut: false, colorErr: false, quiet: true };
  return new Session(io as Io, settings as Settings);
}

test('who asks for room after the stream had it again does not wait', async () => {
  const stdout = new Narrow();
  const session = sessionOn(stdout);
  for (let i = 0; i < 20; i++) session.printBytes(Buffer.from('x'));
  expect(session.full).toBe(true);
  expect(stdout.listenerCount('drain')).toBe(1);
  stdout.emit('drain');
  expect(session.full).toBe(false);
  await session.drain();
  session.print('y');
  const waiting = session.drain();
  stdout.emit('drain');
  await waiting;
  expect(session.full).toBe(false);
});
