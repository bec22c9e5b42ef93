import { ByteSlice } from '../bytes/slice.js';
import { END } from '../bytes/window.js';
import { assert } from '../errors.js';
import { type Depth, type ItemHandler, RAW } from '../model/handler.js';
import type { ValueKind } from '../model/kind.js';
import type { TypeCodec } from './codec.js';
import { Cursor } from './cursor.js';
import { MODULE_ID_BYTES, type ModuleId, moduleIdOf, NO_ID } from './module-id.js';
import { cron } from './types/cron.js';
import { moduleCodec, moduleValue } from './types/module.js';
import { DEFAULT_LIMITS, ValueReader } from './value-reader.js';

/** Kinds of value that can be kept as they stood in an RDB: each is laid out in one way wherever it is known. */
export type PortableKind = 'module' | 'cron';

export function isPortable(kind: ValueKind): kind is PortableKind {
  return kind === 'module' || kind === 'cron';
}

/** Tells values that were kept as the bytes they had in an RDB, and were decoded once before. */
export class ValueTeller {
  private readonly whole = new ByteSlice();
  private readonly cursor = new Cursor();
  private readonly values = new ValueReader(false, DEFAULT_LIMITS, () => {});

  tell(kind: PortableKind, bytes: Buffer, depth: Depth, out: ItemHandler): void {
    const codec = codecOf(kind, bytes);
    if (codec.decode === null || depth === RAW) {
      out.raw(this.whole.set(bytes, 0, bytes.length));
      return;
    }
    const { cursor, values } = this;
    cursor.bytes = bytes;
    cursor.position = 0;
    cursor.end = cursor.limit = bytes.length;
    cursor.base = 0;
    values.begin(codec, depth, cursor);
    for (let before = -1; values.run(cursor, out) !== END; before = cursor.position) {
      assert(cursor.position > before, 'a value that was kept is whole');
    }
  }
}

/** The module a value is of; its name is '' for other values. */
export function moduleOf(kind: PortableKind, bytes: Buffer): ModuleId {
  return kind === 'module' && bytes.length >= MODULE_ID_BYTES ? moduleIdOf(bytes) : NO_ID;
}

/** Whether a value can be told by its bytes alone. */
export function isOpaque(kind: PortableKind, bytes: Buffer): boolean {
  return codecOf(kind, bytes).decode === null;
}

function codecOf(kind: PortableKind, bytes: Buffer): TypeCodec {
  if (kind === 'cron') return cron;
  return bytes.length >= MODULE_ID_BYTES ? moduleCodec(moduleIdOf(bytes)) : moduleValue;
}
