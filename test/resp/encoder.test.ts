import { expect, test } from 'vitest';
import { ByteWindow } from '../../src/bytes/window.js';
import { CommandSpans } from '../../src/resp/command.js';
import { RespEncoder } from '../../src/resp/encoder.js';
import { RespScanner, WHOLE } from '../../src/resp/scanner.js';
import { RespRecorder } from '../support/chop-resp.js';
import { Random } from '../support/random.js';

const text = (encoder: RespEncoder) => encoder.view().latin1Slice();

test('writes what servers write', () => {
  const encoder = new RespEncoder();
  encoder.timestamp(1772366426);
  encoder.command('SET', 'kéy', Buffer.from([0, 255]));
  encoder.begin(12);
  expect(text(encoder)).toBe('#TS:1772366426\r\n*3\r\n$3\r\nSET\r\n$3\r\nk\xe9y\r\n$2\r\n\0\xff\r\n*12\r\n');
  encoder.clear();
  encoder.argument(Buffer.from('..abc..'), 2, 5);
  encoder.text('');
  expect(text(encoder)).toBe('$3\r\nabc\r\n$0\r\n\r\n');
  expect(encoder.length).toBe(15);
});

test('writes commands that were read', () => {
  const encoder = new RespEncoder();
  encoder.spans(CommandSpans.of('DEL', 'a', ''));
  expect(text(encoder)).toBe('*3\r\n$3\r\nDEL\r\n$1\r\na\r\n$0\r\n\r\n');
});

test('is read back as it was, whatever the sizes', () => {
  const random = new Random(9);
  const encoder = new RespEncoder();
  const wanted: string[] = [];
  for (let i = 0; i < 200; i++) {
    const offset = encoder.length;
    const size = random.once(20) ? 100_000 : 40;
    const args = Array.from({ length: 1 + random.below(random.once(10) ? 200 : 6) }, () => {
      const arg = Buffer.alloc(random.below(size));
      for (let k = 0; k < arg.length; k++) arg[k] = random.below(256);
      return arg;
    });
    encoder.command(...args.map((arg, k) => (k % 2 === 0 ? arg : arg.latin1Slice())));
    const words = args.map((arg) => JSON.stringify(arg.latin1Slice())).join(' ');
    wanted.push(`${offset}+${encoder.length - offset} ${words}`);
  }
  const recorder = new RespRecorder();
  const window = new ByteWindow();
  window.bytes = Buffer.from(encoder.view());
  window.end = window.bytes.length;
  const scanner = new RespScanner(recorder, WHOLE);
  scanner.run(window);
  scanner.finish(window);
  expect(recorder.events).toEqual(wanted);
  encoder.clear();
  expect(encoder.length).toBe(0);
});
