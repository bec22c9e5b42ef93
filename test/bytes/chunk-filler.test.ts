import { expect, it } from 'vitest';
import { ChunkFiller } from '../../src/bytes/chunk-filler.js';
import { Random } from '../support/random.js';

class Filler extends ChunkFiller {
  readonly handed: string[] = [];
  readonly memory = new Set<ArrayBufferLike>();
  kept: Buffer[] = [];

  protected override hand(chunk: Buffer): void {
    this.handed.push(chunk.latin1Slice());
    this.memory.add(chunk.buffer);
    this.kept.push(chunk);
  }

  flush(): void {
    this.seal();
  }

  giveBack(): void {
    for (const chunk of this.kept.splice(0)) this.recycle(chunk);
  }
}

it('hands on everything in order, in chunks of one size but for what is flushed', () => {
  const random = new Random(7);
  const filler = new Filler(16, 2);
  let written = '';
  for (let round = 0; round < 200; round++) {
    const text = String(round).padEnd(random.below(50), 'x');
    filler.write(Buffer.from(text));
    written += text;
    if (round % 10 === 9) filler.flush();
    if (round % 3 === 0) filler.giveBack();
  }
  filler.flush();
  const before = filler.handed.length;
  filler.flush();
  expect(filler.handed.length).toBe(before);
  expect(filler.handed.join('')).toBe(written);
  expect(filler.size).toBe(written.length);
  expect(filler.handed.filter(({ length }) => length !== 16).length).toBeLessThanOrEqual(21);
});

it('uses chunks again that were given back, whole also when they were handed on in part', () => {
  const filler = new Filler(16, 4);
  for (let round = 0; round < 100; round++) {
    filler.write(Buffer.alloc(round % 2 === 0 ? 5 : 40, 97));
    filler.flush();
    filler.giveBack();
  }
  expect(filler.memory.size).toBeLessThanOrEqual(5);
});
