import { describe, expect, test } from 'vitest';
import { type ByteSlice, sliceOf } from '../../src/bytes/slice.js';
import { END, PAUSE } from '../../src/bytes/window.js';
import { Keyspace } from '../../src/keyspace/keyspace.js';
import { KeyspaceLoader } from '../../src/keyspace/load.js';
import { type Depth, ITEMS, ItemSink, KeyHead, SKIP } from '../../src/model/handler.js';
import type { ValueKind } from '../../src/model/kind.js';
import { Picture } from './picture.js';

/** Tells a loader keys by hand. */
class Teller {
  readonly keyspace = new Keyspace();
  readonly loader = new KeyspaceLoader(this.keyspace);
  private readonly head = new KeyHead();

  key(
    name: string,
    kind: ValueKind,
    tell: (loader: KeyspaceLoader) => void,
    given: Partial<KeyHead> = {},
  ): void {
    const bytes = Buffer.from(name, 'latin1');
    Object.assign(this.head, { hasExpiry: false, expiresAtMs: 0, encoding: '', ...given, kind });
    this.head.key.set(bytes, 0, bytes.length);
    expect(this.loader.key(this.head)).not.toBe(SKIP);
    tell(this.loader);
    this.loader.keyEnd(this.head);
  }

  get values(): Picture['values'] {
    return Picture.of(this.keyspace).values;
  }
}

describe('loading', () => {
  test('takes values of every kind, in any database', () => {
    const teller = new Teller();
    teller.key('s', 'string', (loader) => loader.text(sliceOf('v')));
    teller.loader.database(3);
    teller.key('l', 'list', (loader) => ['b', 'a'].forEach((item) => void loader.element(sliceOf(item))));
    teller.key('S', 'set', (loader) => loader.element(sliceOf('m')));
    teller.key('h', 'hash', (loader) => {
      loader.field(sliceOf('f'), sliceOf('1'), -1);
      loader.field(sliceOf('g'), sliceOf('2'), 777);
    });
    teller.key('z', 'zset', (loader) => {
      loader.member(sliceOf('y'), 2);
      loader.member(sliceOf('x'), 1);
    });
    expect(teller.values).toEqual({
      '0 s': 'v',
      '3 l': ['b', 'a'],
      '3 S': ['m'],
      '3 h': { f: '1', g: '2 until 777' },
      '3 z': [
        ['x', 1],
        ['y', 2],
      ],
    });
    expect(teller.loader.keys).toBe(5);
  });

  test('passes over collections without elements, not over empty strings', () => {
    const teller = new Teller();
    for (const kind of ['list', 'set', 'hash', 'zset'] as const) teller.key(kind, kind, () => {});
    teller.key('s', 'string', (loader) => loader.text(sliceOf('')));
    expect(teller.values).toEqual({ '0 s': '' });
  });

  test('keeps expiries, those in the past too', () => {
    const teller = new Teller();
    teller.key('a', 'string', (loader) => loader.text(sliceOf('v')), { hasExpiry: true, expiresAtMs: 1 });
    expect(Picture.of(teller.keyspace).expiries).toEqual({ '0 a': 1 });
  });

  test('holds what a key was told last', () => {
    const teller = new Teller();
    teller.key('a', 'list', (loader) => loader.element(sliceOf('x')), { hasExpiry: true, expiresAtMs: 1 });
    teller.key('a', 'set', (loader) => loader.element(sliceOf('y')));
    expect(Picture.of(teller.keyspace)).toMatchObject({ values: { '0 a': ['y'] }, expiries: {} });
  });

  test('keeps the bytes and the type number of a module value', () => {
    const teller = new Teller();
    const fragments = (loader: KeyspaceLoader): void => {
      loader.raw(sliceOf('abc'));
      loader.raw(sliceOf('def'));
    };
    teller.key('m', 'module', fragments, { typeId: 7 });
    const heard: [number, string][] = [];
    let typeId = 0;
    class Listener extends ItemSink {
      override key(head: KeyHead): Depth {
        typeId = head.typeId;
        return ITEMS;
      }
      override raw(fragment: ByteSlice): void {
        heard.push([typeId, fragment.latin1()]);
      }
    }
    teller.keyspace.walk(new Listener()).run();
    expect(heard).toEqual([[7, 'abcdef']]);
  });

  test('packs a skiplist within the thresholds, and so takes the sign from zero', () => {
    const teller = new Teller();
    const tell = (loader: KeyspaceLoader): void => loader.member(sliceOf('x'), -0);
    teller.key('plain', 'zset', tell, { encoding: 'skiplist' });
    teller.key('packed', 'zset', tell, { encoding: 'ziplist' });
    teller.key(
      'large',
      'zset',
      (loader) => {
        for (let i = 0; i < 129; i++) loader.member(sliceOf(`m${i}`), i === 0 ? -0 : i);
      },
      { encoding: 'skiplist' },
    );
    const { values } = teller;
    expect(values['0 plain']).toEqual([['x', 0]]);
    expect(values['0 packed']).toEqual([['x', -0]]);
    expect(values['0 large']).toContainEqual(['m0', -0]);
  });

  test('keeps function libraries by the name they give themselves', () => {
    const teller = new Teller();
    const code = '#!lua name=mylib\nredis.register_function("f", function() end)';
    teller.loader.functionLibrary(sliceOf(code));
    expect(teller.keyspace.functions.get('mylib')?.latin1Slice()).toBe(code);
  });
});

describe('walking', () => {
  class Stopper extends ItemSink {
    full = false;
    readonly heard: string[] = [];
    override database(index: number): void {
      this.heard.push(`db ${index}`);
    }
    override key(head: KeyHead): Depth {
      this.heard.push(head.key.latin1());
      return SKIP;
    }
    override text(): void {
      throw new Error('told although skipped');
    }
    override keyEnd(): void {
      this.full = true;
    }
  }

  test('stops after each key while the handler is full, and goes on from there', () => {
    const teller = new Teller();
    for (const database of [5, 0]) {
      teller.loader.database(database);
      for (const name of ['a', 'b']) teller.key(name, 'string', (loader) => loader.text(sliceOf('v')));
    }
    const stopper = new Stopper();
    const walk = teller.keyspace.walk(stopper);
    const progress: number[] = [];
    do {
      stopper.full = false;
      progress.push(walk.run());
    } while (progress.at(-1) !== END);
    expect(progress).toEqual([PAUSE, PAUSE, PAUSE, PAUSE, END]);
    expect(stopper.heard).toEqual(['db 0', 'a', 'b', 'db 5', 'a', 'b']);
  });

  test('tells nothing of an empty keyspace', () => {
    const stopper = new Stopper();
    expect(new Keyspace().walk(stopper).run()).toBe(END);
    expect(stopper.heard).toEqual([]);
  });
});
