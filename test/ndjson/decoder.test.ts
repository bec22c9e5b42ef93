import { describe, expect, test } from 'vitest';
import { ByteSlice } from '../../src/bytes/slice.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { ITEMS, KeyHead } from '../../src/model/handler.js';
import { NdjsonDecoder } from '../../src/ndjson/decoder.js';
import { NdjsonWriter } from '../../src/ndjson/writer.js';
import { inEveryWay } from '../support/chop.js';
import { Recorder } from '../support/recorder.js';

class Pausing extends Recorder {
  constructor(private readonly pausing: boolean) {
    super();
  }

  private told = 0;
  private stopped = 0;

  override database(index: number): void {
    super.database(index);
    this.told++;
  }

  override get full(): boolean {
    if (!this.pausing || this.told === this.stopped) return false;
    this.stopped = this.told;
    return true;
  }
}

const HEADER = '{"rekindle":1,"origin":[["redis-ver","7.2.0"]]}';

/** What is read from lines, in every way they can come; an error as its code and detail. */
function read(...lines: string[]) {
  const bytes = Buffer.from([HEADER, ...lines].join('\n'));
  return readBytes(bytes);
}

function readBytes(bytes: Buffer, lineBytesMax?: number) {
  const { outcome, error } = inEveryWay(bytes, (pausing) => {
    const recorder = new Pausing(pausing);
    return { machine: new NdjsonDecoder(recorder, lineBytesMax), outcome: () => recorder.keys };
  });
  if (error !== null) return { code: error.code, offset: error.offset, ...error.detail };
  return outcome.map(({ db, key, type, pexpiretime, value }) => [
    db,
    Buffer.from(key, 'base64').toString(),
    type,
    pexpiretime,
    value,
  ]);
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('NDJSON of a dataset', () => {
  test('is read whatever the order of properties, with blank lines, others and no line end', () => {
    const told = read(
      '{"value":"v","type":"string","key":"k","db":3,"comment":{"key":"x"},"expiresAtMs":5}',
      '',
      ' {"key":"l","type":"list","value":["a","a",{"base64":"/w=="}]} \r',
      '{"key":{"base64":"a3o="},"type":"zset","value":[["m",-0],["n","inf"],["o",1e308],["p","-inf"]]}',
      '{"key":"","type":"set","value":["__proto__","constructor"]}',
      '{"key":"__proto__","type":"hash","value":[["__proto__","v"],["f","w",1772366400000]]}',
    );
    expect(told).toEqual([
      [3, 'k', 'string', 5, base64('v')],
      [0, 'l', 'list', null, [base64('a'), base64('a'), '/w==']],
      [
        0,
        'kz',
        'zset',
        null,
        expect.arrayContaining([
          [base64('m'), -0],
          [base64('n'), Number.POSITIVE_INFINITY],
          [base64('o'), 1e308],
          [base64('p'), Number.NEGATIVE_INFINITY],
        ]),
      ],
      [0, '', 'set', null, [base64('__proto__'), base64('constructor')].sort()],
      [0, '__proto__', 'hash', null, expect.arrayContaining([[base64('f'), base64('w'), 1772366400000]])],
    ]);
  });

  test('may go on over several lines', () => {
    const told = read(
      '{"db":1,"key":"k","type":"string","value":"one ","more":true}',
      '{"db":1,"key":"k","part":2,"value":{"base64":"dHdv"},"more":true}',
      '{"db":1,"key":"k","part":3,"value":""}',
      '{"db":1,"key":"l","type":"list","value":[],"more":true}',
      '{"db":1,"key":"l","part":2,"value":["a"]}',
    );
    expect(told).toEqual([
      [1, 'k', 'string', null, base64('one two')],
      [1, 'l', 'list', null, [base64('a')]],
    ]);
  });

  const key = (rest: string): string => `{"db":0,"key":"k",${rest}}`;
  const at = HEADER.length + 1;

  test.each([
    ['no JSON', '{"db":0,', { code: 'ndjson/bad-json', offset: at, line: 2 }],
    ['an array', '[1]', { code: 'ndjson/bad-line', field: 'line', form: 'an object' }],
    ['neither key nor anything else', '{"type":"string"}', { code: 'ndjson/bad-line', field: 'line' }],
    ['a type of no kind', key('"type":"toString","value":"x"'), { code: 'ndjson/bad-line', field: 'type' }],
    ['a number for a text', key('"type":"string","value":5'), { code: 'ndjson/bad-line', field: 'value' }],
    ['a text for a list', key('"type":"list","value":"x"'), { code: 'ndjson/bad-line', field: 'value' }],
    ['a list in a list', key('"type":"list","value":["a",["b"]]'), { field: 'value[1]' }],
    ['half a character', key('"type":"string","value":"\\ud800"'), { field: 'value' }],
    ['base64 that is none', key('"type":"string","value":{"base64":"a b="}'), { field: 'value' }],
    ['a pair of one', key('"type":"hash","value":[["f"]]'), { field: 'value[0]' }],
    ['a field twice', key('"type":"hash","value":[["f","1"],["f","2"]]'), { field: 'value[1]' }],
    ['a member twice', key('"type":"zset","value":[["f",1],["f",2]]'), { field: 'value[1]' }],
    ['an element twice', key('"type":"set","value":["a","a"]'), { field: 'value[1]' }],
    ['a score in words', key('"type":"zset","value":[["m","1"]]'), { field: 'value[0][1]' }],
    ['a time of no time', key('"type":"string","value":"","expiresAtMs":1.5'), { field: 'expiresAtMs' }],
    ['a database below none', '{"db":-1,"key":"k","type":"string","value":""}', { field: 'db' }],
    ['a part of nothing', key('"part":2,"value":"x"'), { field: 'part' }],
    ['a stream of anything', key('"type":"stream","value":[{"x":1}]'), { field: 'value[0]' }],
    [
      'an id of letters',
      key('"type":"stream","value":[{"entry":"a-b","fields":[]}]'),
      { field: 'value[0].entry' },
    ],
    ['a limit that is no number', key('"type":"gcra","value":"soon"'), { field: 'value' }],
    ['a name of no bytes', '{"key":null,"type":"string","value":""}', { field: 'key' }],
  ])('with %s is refused', (_what, line, expected) => {
    expect(read(line, key('"type":"string","value":"behind"'))).toMatchObject(expected);
  });

  test('whose value does not go on is refused', () => {
    const begun = key('"type":"list","value":["a"],"more":true');
    const end = at + begun.length + 1;
    expect(read(begun, '')).toMatchObject({ code: 'ndjson/unfinished-value', offset: end, line: 2, part: 1 });
    expect(read(begun, key('"part":3,"value":[]'))).toMatchObject({ field: 'part', offset: end, line: 3 });
    expect(read(begun, '{"db":0,"key":"other","part":2,"value":[]}')).toMatchObject({ field: 'part' });
    expect(read(begun, key('"type":"list","value":[]'))).toMatchObject({ field: 'part' });
  });

  test('without its first line, or of no text, is refused', () => {
    expect(readBytes(Buffer.from('{"rekindle":2}\n'))).toMatchObject({
      code: 'ndjson/bad-line',
      field: 'rekindle',
    });
    expect(readBytes(Buffer.alloc(0))).toMatchObject({ code: 'ndjson/bad-header', offset: 0 });
    const bytes = Buffer.concat([Buffer.from(`${HEADER}\n{"key":"`), Buffer.of(0xff), Buffer.from('"}\n')]);
    expect(readBytes(bytes)).toEqual({ code: 'ndjson/not-utf8', offset: at, line: 2 });
  });
});

test('a line that cannot be held is refused before it is whole', () => {
  const bytes = Buffer.from(`${HEADER}\n{"key":"${'k'.repeat(100)}`);
  expect(readBytes(bytes, 60)).toEqual({
    code: 'ndjson/line-too-long',
    offset: HEADER.length + 1,
    line: 2,
    max: 60,
  });
});

describe('texts', () => {
  /** The line of a key with this value, as it is written. */
  function line(value: Buffer): string {
    const target = new MemoryTarget();
    const writer = new NdjsonWriter(target, { frame: 'lines' });
    const head = new KeyHead();
    head.key.set(value, 0, value.length);
    expect(writer.key(head)).toBe(ITEMS);
    writer.text(new ByteSlice().set(value, 0, value.length));
    writer.keyEnd(head);
    writer.finish();
    return target.bytes().toString('latin1').split('\n')[1]!;
  }

  test.each(Array.from({ length: 256 }, (_, byte) => byte))(
    'of the byte %i are JSON and come back',
    (byte) => {
      for (const length of [1, 3, 9000]) {
        const value = Buffer.alloc(length, byte);
        const text = line(value);
        expect(/^[\x20-\x7e]*$/.test(text)).toBe(true);
        const { key, value: told } = JSON.parse(text);
        expect(told).toEqual(key);
        const bytes = typeof told === 'string' ? Buffer.from(told) : Buffer.from(told.base64, 'base64');
        expect(bytes.equals(value)).toBe(true);
      }
    },
  );

  test('of characters stand as characters, but for those that steer terminals', () => {
    expect(
      JSON.parse(Buffer.from(line(Buffer.from('Zürich 東京 🚀 "\\/\t')), 'latin1').toString()),
    ).toMatchObject({
      value: 'Zürich 東京 🚀 "\\/\t',
    });
    expect(line(Buffer.from('a\u009b31m\u001b[2J\u007f\u2028'))).toContain(
      Buffer.from('"a\\u009b31m\\u001b[2J\\u007f\u2028"').latin1Slice(),
    );
    // Over the pieces that a long text is escaped in, too.
    for (const front of [8189, 8190, 8191, 8192]) {
      const value = Buffer.from(`${'x'.repeat(front)}\u009b\u0080é${'y'.repeat(9000)}`);
      const told = line(value);
      expect(told).toContain('\\u009b\\u0080');
      expect(JSON.parse(Buffer.from(told, 'latin1').toString('utf8')).value).toBe(value.toString());
    }
  });

  test('of half a character, as other programs leave them in UTF-8, stand as bytes', () => {
    const surrogate = Buffer.of(0xed, 0xa0, 0x80);
    expect(JSON.parse(line(surrogate)).value).toEqual({ base64: surrogate.toString('base64') });
  });
});
