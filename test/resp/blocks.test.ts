import { describe, expect, test } from 'vitest';
import { pump } from '../../src/bytes/pump.js';
import { MemorySource } from '../../src/bytes/source.js';
import { ByteWindow } from '../../src/bytes/window.js';
import { Crc64 } from '../../src/kernels/crc64.js';
import { BlockSummer, type LogBlock } from '../../src/resp/blocks.js';
import { resp } from '../support/resp.js';

const SET = resp('SET a 1', 'SET b 2');
const LARGE = `*2\r\n$4\r\nECHO\r\n$90000\r\n${'x'.repeat(90000)}\r\n`;

function crc(text: string): string {
  const sum = new Crc64();
  sum.update(Buffer.from(text, 'latin1'));
  return `${sum.high}:${sum.low}`;
}

async function blocksOf(text: string, chunkBytes = 1 << 20) {
  const blocks: Pick<LogBlock, 'offset' | 'length' | 'stated'>[] = [];
  const sums: string[] = [];
  const summer = new BlockSummer((block) => {
    const { offset, length, stated, headHigh, headLow, headBytes, bodyHigh, bodyLow } = block;
    blocks.push({ offset, length, stated });
    sums.push(`${headBytes} ${headHigh}:${headLow} ${bodyHigh}:${bodyLow}`);
  });
  const source = new MemorySource(Buffer.from(text, 'latin1'), 'log');
  const window = new ByteWindow();
  window.limit = source.size;
  await pump(await source.open(), window, summer, { chunkBytes });
  return { blocks, sums, malformed: summer.malformed };
}

describe('blocks of a log', () => {
  const first = `#HDR:v1;len:${SET.length};checksum:12;`;
  const second = `#HDR:v1;seq:7;len:${LARGE.length};checksum:0a0b;replid:abc;`;
  const text = `${resp('SELECT 0')}#TS:1700000000\r\n${first}\r\n${SET}${LARGE}${resp('PING')}${second}\r\n${LARGE}`;
  const expected = {
    blocks: [
      { offset: text.indexOf('#HDR'), length: SET.length, stated: '12' },
      { offset: text.indexOf('#HDR:v1;seq'), length: LARGE.length, stated: '0a0b' },
    ],
    sums: [
      `${first.indexOf('checksum')} ${crc(first.slice(0, first.indexOf('checksum')))} ${crc(SET)}`,
      `${second.indexOf('checksum')} ${crc(second.slice(0, second.indexOf('checksum')))} ${crc(LARGE)}`,
    ],
    malformed: 0,
  };

  test.each([1, 2, 7, 64, 1000, 40_000, 1 << 20])(
    'are told and summed from chunks of %i bytes',
    async (size) => {
      expect(await blocksOf(text, size)).toEqual(expected);
    },
  );

  test('are not told when the end of the file cuts them', async () => {
    expect((await blocksOf(text.slice(0, -1))).blocks).toEqual(expected.blocks.slice(0, 1));
  });

  test.each([
    '#HDR:v2;len:5;checksum:1;',
    '#HDR:v1;checksum:1;',
    '#HDR:v1;len:5;',
    '#HDR:v1;len:9999999999999999;checksum:1;',
  ])('are none behind %s', async (line) => {
    expect(await blocksOf(`${line}\r\n${SET}`)).toEqual({ blocks: [], sums: [], malformed: 1 });
  });

  test('end at bytes that are no record', async () => {
    await expect(blocksOf(`${first}\r\n${SET}garbage`)).rejects.toMatchObject({ code: 'aof/bad-prefix' });
  });
});
