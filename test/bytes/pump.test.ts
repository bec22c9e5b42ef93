import { describe, expect, test } from 'vitest';
import { pump, pumpSource } from '../../src/bytes/pump.js';
import { type ByteReader, MemorySource } from '../../src/bytes/source.js';
import { ByteWindow, END, type Machine, NEED, PAUSE, type Progress } from '../../src/bytes/window.js';
import { FormatError } from '../../src/errors.js';
import { DribblingReader } from '../support/chop-resp.js';
import { Random } from '../support/random.js';

/** Items of a length byte times `unit` and that many bytes; keeps a sum of what passed and where. */
class LengthItems implements Machine {
  readonly items: string[] = [];
  runs = 0;
  finished = false;

  constructor(
    private readonly unit = 1,
    private readonly endAfter = Number.POSITIVE_INFINITY,
    private readonly pauses = false,
  ) {}

  run(window: ByteWindow): Progress {
    this.runs++;
    for (;;) {
      if (this.items.length >= this.endAfter) return END;
      if (!window.has(1)) return NEED;
      const length = 1 + window.bytes[window.position]! * this.unit;
      if (!window.has(length)) return NEED;
      let sum = 0;
      for (let i = 0; i < length; i++) sum = (sum * 31 + window.bytes[window.position + i]!) >>> 0;
      this.items.push(`${window.offset}:${length}:${sum}`);
      window.position += length;
      if (this.pauses) return PAUSE;
    }
  }

  finish(window: ByteWindow): void {
    this.finished = true;
    if (window.position !== window.end) throw new FormatError('test/torn', window.offset);
  }
}

function itemBytes(random: Random, count: number, unit: number): Buffer {
  const parts = Array.from({ length: count }, () => {
    const length = random.once(4) ? random.below(256) : random.below(8);
    const body = Buffer.alloc(1 + length * unit);
    for (let i = 0; i < body.length; i++) body[i] = random.below(256);
    body[0] = length;
    return body;
  });
  return Buffer.concat(parts);
}

describe('pump', () => {
  const random = new Random(7);

  test.each([1, 3, 64, 1000, 1 << 19])('keeps every byte and offset through chunks of %d', async (chunk) => {
    const bytes = itemBytes(random, 400, 1);
    const plain = new LengthItems();
    const window = new ByteWindow();
    window.bytes = bytes;
    window.end = bytes.length;
    plain.run(window);
    for (const limit of [bytes.length, Number.POSITIVE_INFINITY]) {
      for (const sizes of [[1], [5, 1, 300], [1 << 20]]) {
        const machine = new LengthItems();
        const own = new ByteWindow();
        own.limit = limit;
        await pump(new DribblingReader(bytes, sizes), own, machine, { chunkBytes: chunk });
        expect(machine.items).toEqual(plain.items);
        expect(machine.finished).toBe(true);
        expect(own.offset).toBe(bytes.length);
      }
    }
  });

  test.each([Number.POSITIVE_INFINITY, 1])('gathers items far larger than a chunk', async (known) => {
    const bytes = itemBytes(random, 60, 4000);
    const machine = new LengthItems(4000);
    const window = new ByteWindow();
    if (known === 1) window.limit = bytes.length;
    await pump(new DribblingReader(bytes, [70_000, 11]), window, machine, { chunkBytes: 10_000 });
    expect(machine.items.length).toBe(60);
    expect(window.offset).toBe(bytes.length);
    // One run for an item, one for the bytes that came with it: never one per chunk of an item.
    expect(machine.runs).toBeLessThan(200);
  });

  test('gathers one large item after the other in the same memory', async () => {
    const random = new Random(8);
    const bytes = Buffer.concat(
      Array.from({ length: 40 }, () => {
        const body = Buffer.alloc(1 + 100 * 300, random.below(256));
        body[0] = 100 - random.below(10);
        return body.subarray(0, 1 + body[0] * 300);
      }),
    );
    const seen = new Set<ArrayBufferLike>();
    const machine = new (class extends LengthItems {
      override run(window: ByteWindow): Progress {
        seen.add(window.bytes.buffer);
        return super.run(window);
      }
    })(300);
    const window = new ByteWindow();
    window.limit = bytes.length;
    await pump(new DribblingReader(bytes, [70_000, 11]), window, machine, { chunkBytes: 10_000 });
    expect(machine.items).toHaveLength(40);
    expect(machine.finished).toBe(true);
    // The empty window, three for chunks and gathered items, and those that were too small for a later item.
    expect(seen.size).toBeLessThan(9);
  });

  test('never reads into what stood in the window before', async () => {
    const before = itemBytes(new Random(9), 30, 4000);
    const copy = Buffer.from(before);
    const window = new ByteWindow();
    window.bytes = before;
    window.end = before.length;
    const machine = new LengthItems(4000);
    await pump(new DribblingReader(copy, [70_000]), window, machine, { chunkBytes: 10_000 });
    expect(machine.items).toHaveLength(60);
    expect(before.equals(copy)).toBe(true);
  });

  test('an item that does not know its size is looked at a logarithmic number of times', async () => {
    let runs = 0;
    const bytes = Buffer.alloc(4_000_000, 1);
    bytes[3_999_999] = 0;
    const untilZero: Machine = {
      run(window) {
        runs++;
        const at = window.bytes.indexOf(0, window.position);
        if (at < 0 || at >= window.end) {
          window.need = window.end - window.position + 1;
          return NEED;
        }
        window.position = at + 1;
        return END;
      },
      finish() {
        throw new Error('the zero was not found');
      },
    };
    await pump(new DribblingReader(bytes, [1000]), new ByteWindow(), untilZero, { chunkBytes: 1000 });
    expect(runs).toBeLessThan(40);
  });

  test('a claim beyond the end is answered without reading on', async () => {
    let reads = 0;
    const reader: ByteReader = {
      read: (into) => {
        reads++;
        into[0] = 200;
        return Promise.resolve(1);
      },
      close: () => Promise.resolve(),
    };
    const window = new ByteWindow();
    window.limit = 10;
    await expect(pump(reader, window, new LengthItems())).rejects.toThrow('test/torn at offset 0');
    expect(reads).toBeLessThan(4);
  });

  test('a claim no buffer can hold is refused, not tried', async () => {
    const window = new ByteWindow();
    const machine: Machine = {
      run: (w) => {
        w.need = 2 ** 40;
        return NEED;
      },
      finish: () => {},
    };
    const endless: ByteReader = {
      read: (into) => Promise.resolve(into.length),
      close: () => Promise.resolve(),
    };
    await expect(pump(endless, window, machine)).rejects.toMatchObject({ code: 'input/item-too-large' });
  });

  test('a claim on a pipe is believed only as bytes come', async () => {
    const machine: Machine = {
      run: (w) => {
        w.need = 1 << 30;
        return NEED;
      },
      finish: () => {},
    };
    const before = process.memoryUsage().arrayBuffers;
    const window = new ByteWindow();
    await pump(new DribblingReader(Buffer.alloc(100_000), [1000]), window, machine);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 26);
  });

  test('returns at END although the reader hangs', async () => {
    let first = true;
    const reader: ByteReader = {
      read: (into) => {
        if (!first) return new Promise(() => {});
        first = false;
        into.set([1, 7, 9]);
        return Promise.resolve(3);
      },
      close: () => Promise.resolve(),
    };
    const window = new ByteWindow();
    await pump(reader, window, new LengthItems(1, 1));
    expect(window.offset).toBe(2);
    expect(window.bytes[window.position]).toBe(9);
  });

  test('drains at every PAUSE and goes on', async () => {
    let drained = 0;
    const machine = new LengthItems(1, Number.POSITIVE_INFINITY, true);
    const drain = () => {
      drained++;
      return new Promise<void>((resolve) => setImmediate(resolve));
    };
    await pump(new DribblingReader(itemBytes(random, 50, 1), [9]), new ByteWindow(), machine, { drain });
    expect(machine.items).toHaveLength(50);
    expect(drained).toBe(50);
  });

  test('a machine that pauses without a drain is a defect, not a hang', async () => {
    const machine = new LengthItems(1, Number.POSITIVE_INFINITY, true);
    const running = pump(new DribblingReader(Buffer.from([0]), [1]), new ByteWindow(), machine);
    await expect(running).rejects.toThrow('nobody drains');
  });

  test.each([
    [false, 1],
    [true, 0],
  ])('reads ahead, unless the reader waits (%s)', async (waits, ahead) => {
    const reads: number[] = [];
    let runs = 0;
    const reader: ByteReader = {
      waits,
      read: async (into) => {
        reads.push(runs);
        return reads.length > 3 ? 0 : into.fill(0).length;
      },
      close: async () => {},
    };
    const machine: Machine = {
      run: (window) => {
        runs++;
        window.position = window.end;
        return NEED;
      },
      finish: () => {},
    };
    await pump(reader, new ByteWindow(), machine, { chunkBytes: 100 });
    // One run before the first read; each later one is of what the read before brought.
    expect(reads.map((run, i) => i + 1 - run)).toEqual([0, ahead, ahead, ahead]);
  });

  test('a failing read is told once, however early it was under way', async () => {
    for (let good = 0; good < 4; good++) {
      let reads = 0;
      const reader: ByteReader = {
        read: (into) => {
          if (reads++ >= good) return Promise.reject(new Error('EIO'));
          into[0] = 0;
          return Promise.resolve(1);
        },
        close: () => Promise.resolve(),
      };
      const machine = new LengthItems();
      await expect(pump(reader, new ByteWindow(), machine)).rejects.toThrow('EIO');
      expect(machine.items).toHaveLength(good);
    }
  });

  test('abort ends a read that hangs, a drain that hangs, and a pump that runs', async () => {
    const hanging: ByteReader = { read: () => new Promise(() => {}), close: () => Promise.resolve() };
    const reading = new AbortController();
    const first = pump(hanging, new ByteWindow(), new LengthItems(), { signal: reading.signal });
    reading.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');

    const draining = new AbortController();
    const second = pump(
      new DribblingReader(Buffer.from([0, 0]), [2]),
      new ByteWindow(),
      new LengthItems(1, 9, true),
      {
        signal: draining.signal,
        drain: () => new Promise(() => {}),
      },
    );
    setImmediate(() => draining.abort(new Error('enough')));
    await expect(second).rejects.toThrow('enough');

    const already = AbortSignal.abort(new Error('before'));
    const machine = new LengthItems();
    await expect(
      pumpSource(new MemorySource(Buffer.from([0])), machine, { signal: already }),
    ).rejects.toThrow('before');
    expect(machine.runs).toBe(0);
  });

  test('leaves no listeners on a signal that lives on', async () => {
    const { signal } = new AbortController();
    const added: unknown[] = [];
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = ((...args: Parameters<typeof add>) => {
      added.push(args[1]);
      add(...args);
    }) as typeof add;
    signal.removeEventListener = ((...args: Parameters<typeof remove>) => {
      added.splice(added.indexOf(args[1]), 1);
      remove(...args);
    }) as typeof remove;
    await pump(new DribblingReader(itemBytes(random, 50, 1), [3]), new ByteWindow(), new LengthItems(), {
      signal,
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(added).toEqual([]);
  });

  test('tells progress in absolute offsets', async () => {
    const offsets: number[] = [];
    const bytes = itemBytes(random, 200, 1);
    await pumpSource(new MemorySource(bytes), new LengthItems(), {
      chunkBytes: 100,
      progress: (offset) => offsets.push(offset),
    });
    expect(offsets.length).toBeGreaterThan(3);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    expect(offsets.at(-1)).toBeLessThanOrEqual(bytes.length);
  });

  test('starts in the middle with absolute offsets', async () => {
    const machine = new LengthItems();
    const window = await pumpSource(new MemorySource(Buffer.from([9, 9, 9, 1, 5])), machine, { start: 3 });
    expect(machine.items).toEqual(['3:2:36']);
    expect(window.offset).toBe(5);
  });

  test('closes the reader whatever happens', async () => {
    for (const body of [Buffer.from([0]), Buffer.from([5, 1])]) {
      const source = new MemorySource(body);
      const open = source.open.bind(source);
      let closed = 0;
      source.open = async (start) => {
        const reader = await open(start);
        return { read: reader.read, close: async () => void closed++ };
      };
      await pumpSource(source, new LengthItems()).catch(() => {});
      expect(closed).toBe(1);
    }
  });
});
