import { isUtf8 } from 'node:buffer';
import { addLong, type Long } from '../../bytes/int64.js';
import type { ByteSlice } from '../../bytes/slice.js';
import { type Depth, type ItemHandler, KeyHead } from '../../model/handler.js';
import { ItemRelay } from '../relay.js';

/** What becomes of TTLs, those of hash fields included. */
export type TtlChange =
  | { readonly kind: 'strip' }
  /** Every time moved by so much; may be negative. */
  | { readonly kind: 'shift'; readonly ms: number }
  /** What was left at one time is left at another. */
  | { readonly kind: 'now'; readonly ms: number };

export interface Rename {
  readonly pattern: RegExp;
  /** As `String.replace` takes it: `$1`, `$&`. */
  readonly replacement: string;
}

/** What changes on the way; empty lists and null say nothing. */
export interface Transforms {
  readonly ttl: TtlChange | null;
  /** Applied one after the other to names, read as UTF-8 where they are that, else one character per byte. */
  readonly rename: readonly Rename[];
  /** Number by number; others stay. */
  readonly databases: ReadonlyMap<number, number>;
}

export const NO_TRANSFORMS: Transforms = { ttl: null, rename: [], databases: new Map() };

/** True when two keys can have one name behind the change. */
export function mayJoin({ rename, databases }: Transforms): boolean {
  return rename.length > 0 || databases.size > 0;
}

/** Tells keys under other names, in other databases, with other TTLs. */
export class Transformer extends ItemRelay {
  private readonly head = new KeyHead();
  private readonly shiftMs: number | null;

  /** `savedAtMs`: when the dataset was saved, from which `now` counts. */
  constructor(
    target: ItemHandler,
    private readonly transforms: Transforms,
    savedAtMs: number,
  ) {
    super(target);
    const { ttl } = transforms;
    this.shiftMs = ttl?.kind === 'shift' ? ttl.ms : ttl?.kind === 'now' ? ttl.ms - savedAtMs : null;
  }

  override key(source: KeyHead): Depth {
    const { head } = this;
    const { ttl, databases } = this.transforms;
    copyHead(source, head);
    head.database = databases.get(source.database) ?? source.database;
    this.rename(source.key, head.key);
    if (ttl?.kind === 'strip') {
      head.hasExpiry = head.fieldsExpire = false;
      head.expiresAtMs = 0;
    } else if (head.hasExpiry && this.shiftMs !== null) {
      head.expiresAtMs = shifted(head.expiresAtMs, this.shiftMs);
    }
    // Bytes as they stand would keep the TTLs of fields.
    if (ttl !== null && source.fieldsExpire) head.typeId = -1;
    return this.target.key(head);
  }

  private rename(source: ByteSlice, into: ByteSlice): void {
    const { rename } = this.transforms;
    into.set(source.bytes, source.start, source.end);
    if (rename.length === 0) return;
    const view = source.view();
    const encoding = isUtf8(view) ? 'utf8' : 'latin1';
    const name = view.toString(encoding);
    const renamed = rename.reduce(
      (text, { pattern, replacement }) => text.replace(pattern, replacement),
      name,
    );
    if (renamed === name) return;
    const bytes = Buffer.from(renamed, encoding);
    into.set(bytes, 0, bytes.length);
  }

  override field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    const { ttl } = this.transforms;
    const stripped = expiresAtMs < 0 || ttl?.kind === 'strip';
    super.field(name, value, stripped ? -1 : Math.max(0, expiresAtMs + (this.shiftMs ?? 0)));
  }

  override memberExpiry(member: ByteSlice, expiresAtMs: Long): void {
    if (this.transforms.ttl?.kind === 'strip') return;
    super.memberExpiry(member, this.shiftMs === null ? expiresAtMs : shifted(expiresAtMs, this.shiftMs));
  }

  override keyEnd(source: KeyHead): void {
    this.head.count = source.count;
    super.keyEnd(this.head);
  }
}

function shifted(time: Long, byMs: number): Long {
  const moved = addLong(time, byMs);
  // A time before the epoch would be refused by servers: the key has expired either way.
  return moved < 0 && time >= 0 ? 0 : moved;
}

function copyHead(from: KeyHead, to: KeyHead): void {
  to.kind = from.kind;
  to.encoding = from.encoding;
  to.typeId = from.typeId;
  to.hasExpiry = from.hasExpiry;
  to.expiresAtMs = from.expiresAtMs;
  to.idleSeconds = from.idleSeconds;
  to.freq = from.freq;
  to.count = from.count;
  to.textBytes = from.textBytes;
  to.fieldsExpire = from.fieldsExpire;
  to.moduleName = from.moduleName;
  to.opaque = from.opaque;
  to.metadata = from.metadata;
  to.offset = from.offset;
}
