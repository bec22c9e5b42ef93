import { describe, expect, it } from 'vitest';
import { ByteSlice, sliceOf } from '../../src/bytes/slice.js';
import { type Depth, ITEMS, ItemSink, KeyHead, SKIP } from '../../src/model/handler.js';
import { EVERY_KEY, type KeyConditions, KeyFilter } from '../../src/tools/filter.js';
import { SizeGate } from '../../src/tools/gate.js';

const NOW = 1000;

function passes(conditions: Partial<KeyConditions>, key: string, given: Partial<KeyHead> = {}): boolean {
  const head = Object.assign(new KeyHead(), given);
  const { bytes, start, end } = sliceOf(key);
  head.key.set(bytes, start, end);
  return new KeyFilter({ ...EVERY_KEY, ...conditions }, NOW).passes(head);
}

describe('conditions on keys', () => {
  it('are none by default', () => {
    expect(new KeyFilter(EVERY_KEY, NOW).open).toBe(true);
    expect(passes({}, '')).toBe(true);
  });

  it('take any of several databases, types and slots', () => {
    expect(passes({ databases: [1, 2] }, 'k', { database: 2 })).toBe(true);
    expect(passes({ databases: [1, 2] }, 'k', { database: 0 })).toBe(false);
    expect(passes({ kinds: ['list', 'set'] }, 'k', { kind: 'set' })).toBe(true);
    expect(passes({ kinds: ['list', 'set'] }, 'k', { kind: 'hash' })).toBe(false);
    // CLUSTER KEYSLOT foo is 12182.
    expect(
      passes(
        {
          slots: [
            [0, 1],
            [12182, 12182],
          ],
        },
        'foo',
      ),
    ).toBe(true);
    expect(
      passes(
        {
          slots: [
            [0, 12181],
            [12183, 16383],
          ],
        },
        '{foo}bar',
      ),
    ).toBe(false);
  });

  it('hold every glob and every expression, and no glob that is excluded', () => {
    expect(passes({ match: ['user:*', '*:1'] }, 'user:1')).toBe(true);
    expect(passes({ match: ['user:*', '*:1'] }, 'user:2')).toBe(false);
    expect(passes({ notMatch: ['a*', 'b*'] }, 'bee')).toBe(false);
    expect(passes({ regex: [/^u/u, /\d$/u] }, 'user:1')).toBe(true);
    expect(passes({ regex: [/^u/u, /\d$/u] }, 'user:x')).toBe(false);
  });

  it('read keys as UTF-8 for expressions where they are that', () => {
    const utf8 = Buffer.from('größe').toString('latin1');
    expect(passes({ regex: [/^gr..e$/u] }, utf8)).toBe(true);
    expect(passes({ regex: [/^gr\xff$/u] }, 'gr\xff')).toBe(true);
  });

  it('keep, drop or want what is past its TTL; the very millisecond still lives', () => {
    const at = (expiresAtMs: number) => ({ hasExpiry: true, expiresAtMs });
    expect(passes({ expired: 'drop' }, 'k', at(NOW - 1))).toBe(false);
    expect(passes({ expired: 'drop' }, 'k', at(NOW))).toBe(true);
    expect(passes({ expired: 'drop' }, 'k')).toBe(true);
    expect(passes({ expired: 'only' }, 'k', at(NOW - 1))).toBe(true);
    expect(passes({ expired: 'only' }, 'k')).toBe(false);
  });
});

/** Writes down what it is told. */
class Notes extends ItemSink {
  readonly lines: string[] = [];
  constructor(private readonly depth: Depth = ITEMS) {
    super();
  }
  override key(head: KeyHead): Depth {
    this.lines.push(`key ${head.key.latin1()}`);
    return this.depth;
  }
  override element(value: ByteSlice): void {
    this.lines.push(`element ${value.latin1()}`);
  }
  override field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    this.lines.push(`field ${name.latin1()} ${value.latin1()} ${expiresAtMs}`);
  }
  override member(value: ByteSlice, score: number): void {
    this.lines.push(`member ${value.latin1()} ${score}`);
  }
  override keyEnd(): void {
    this.lines.push('end');
  }
}

describe('the gate for sizes', () => {
  /** Tells a value in borrowed memory that is overwritten at once, as a decoder's is. */
  function tell(gate: SizeGate, items: (gate: SizeGate, slice: (text: string) => ByteSlice) => void): void {
    const head = new KeyHead();
    head.key.set(Buffer.from('k'), 0, 1);
    const memory = Buffer.alloc(64);
    let at = 0;
    const slice = (text: string): ByteSlice => {
      const start = at;
      at += memory.latin1Write(text, at);
      return new ByteSlice().set(memory, start, at);
    };
    const settled = new Proxy(gate, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as (...args: unknown[]) => void;
        return (...args: unknown[]) => {
          method.apply(target, args);
          memory.fill(0);
          at = 0;
        };
      },
    });
    gate.key(head);
    items(settled, slice);
    gate.keyEnd(head);
  }

  it('tells what was held back in order, as soon as the value is large enough', () => {
    const notes = new Notes();
    const gate = new SizeGate(notes, 4);
    tell(gate, (each, slice) => {
      each.element(slice('ab'));
      expect(notes.lines).toEqual([]);
      each.element(slice('cd'));
      expect(notes.lines).toEqual(['key k', 'element ab', 'element cd']);
      each.element(slice(''));
    });
    expect(notes.lines.slice(3)).toEqual(['element ', 'end']);
  });

  it('keeps small values to itself', () => {
    const notes = new Notes();
    const gate = new SizeGate(notes, 5);
    tell(gate, (each, slice) => each.field(slice('n'), slice('abc'), -1));
    expect(notes.lines).toEqual([]);
    tell(gate, (each, slice) => each.field(slice('n'), slice('abcd'), 7));
    expect(notes.lines).toEqual(['key k', 'field n abcd 7', 'end']);
  });

  it('counts eight bytes for a score', () => {
    const notes = new Notes();
    tell(new SizeGate(notes, 9), (each, slice) => each.member(slice('m'), 1.5));
    expect(notes.lines).toEqual(['key k', 'member m 1.5', 'end']);
  });

  it('tells no items to whom wants none', () => {
    const notes = new Notes(SKIP);
    tell(new SizeGate(notes, 1), (each, slice) => {
      each.element(slice('a'));
      each.element(slice('b'));
    });
    expect(notes.lines).toEqual(['key k', 'end']);
  });
});
