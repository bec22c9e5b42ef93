import type { Keyspace } from './keyspace.js';
import { PAGE_BYTES, PagePool, type PageRun } from './page-pool.js';

/** Memory of a keyspace that went into pages, and what views of it there were. */
class PagedBuffer {
  constructor(readonly run: PageRun) {}
}

type View = Uint8Array | Int32Array | Float64Array | DataView;
type Make = (buffer: ArrayBuffer, offset: number, length: number) => View;

/** A view of memory as a snapshot keeps it: what kind it was, and over what. */
class FrozenView {
  constructor(
    readonly make: Make,
    readonly offset: number,
    /** In elements. */
    readonly length: number,
    /** Whole memory in pages, or a copy of what the view shows. */
    readonly buffer: PagedBuffer | ArrayBuffer,
  ) {}
}

/** A keyspace as it was at a moment. Never changed; `SnapshotStore.drop` gives its memory back. */
export class Snapshot {
  constructor(
    readonly root: object,
    readonly runs: readonly PageRun[],
    /** Objects beside the pages, for an estimate of what they hold. */
    readonly objects: number,
  ) {}
}

/**
 * Keeps copies of keyspaces. A keyspace is a graph of plain objects, arrays, maps and typed arrays that share their
 * memory with nobody: the graph is copied as it stands, whatever classes it is made of, and large memory in pages that
 * copies of one keyspace share as far as they are equal.
 */
export class SnapshotStore {
  readonly pool = new PagePool();
  /** The newest copy of living memory; those that were given back are not here. */
  private lastRuns = new WeakMap<ArrayBuffer, PageRun>();
  private readonly released = new WeakSet<PageRun>();
  /** Memory of keyspaces that are no longer used, by size. */
  private readonly spare = new Map<number, ArrayBuffer[]>();

  take(keyspace: Keyspace): Snapshot {
    const freezer = new Freezer(this);
    const root = freezer.copy(keyspace) as object;
    return new Snapshot(root, freezer.runs, freezer.objects);
  }

  /** An independent keyspace with what the snapshot holds. */
  thaw(snapshot: Snapshot): Keyspace {
    const keyspace = new Thawer(this).copy(snapshot.root) as Keyspace;
    this.spare.clear();
    return keyspace;
  }

  /** Gives the memory of a snapshot back. It must not be thawed again. */
  drop(snapshot: Snapshot): void {
    for (const run of snapshot.runs) {
      this.pool.release(run);
      this.released.add(run);
    }
  }

  /** Takes over the memory of a keyspace that nobody uses any more, for the next one to be thawed. */
  recycle(keyspace: Keyspace): void {
    for (const { buffer } of keyspace.arena.chunks) {
      const memory = buffer as ArrayBuffer;
      if (memory.byteLength < PAGE_BYTES) continue;
      const same = this.spare.get(memory.byteLength);
      if (same === undefined) this.spare.set(memory.byteLength, [memory]);
      else same.push(memory);
    }
  }

  keep(buffer: ArrayBuffer): PageRun {
    const last = this.lastRuns.get(buffer);
    const before = last === undefined || this.released.has(last) ? null : last;
    const run = this.pool.keep(new Uint8Array(buffer), before);
    this.lastRuns.set(buffer, run);
    return run;
  }

  restore(run: PageRun): ArrayBuffer {
    const buffer = this.spare.get(run.byteLength)?.pop() ?? memoryOf(run.byteLength);
    this.pool.restore(run, new Uint8Array(buffer));
    this.lastRuns.set(buffer, run);
    return buffer;
  }
}

/** Not zeroed: all of it is written at once. */
function memoryOf(length: number): ArrayBuffer {
  return Buffer.allocUnsafeSlow(length).buffer as ArrayBuffer;
}

/** Copies a graph of objects; what is met twice is copied once. */
abstract class GraphCopier {
  objects = 0;
  private readonly copies = new Map<object, unknown>();
  /** Copied, but not yet what they hold: graphs may be deep. */
  private readonly unfilled: [from: object, to: object][] = [];

  copy(root: unknown): unknown {
    const copied = this.begin(root);
    for (let next = this.unfilled.pop(); next !== undefined; next = this.unfilled.pop()) this.fill(...next);
    return copied;
  }

  /** The copy of what is no plain object; undefined where it is one. */
  protected abstract leaf(value: object): unknown;

  private begin(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const known = this.copies.get(value);
    if (known !== undefined) return known;
    this.objects++;
    let copied = this.leaf(value);
    if (copied === undefined) {
      if (Array.isArray(value)) copied = isFlat(value) ? value.slice() : new Array(value.length);
      else if (value instanceof Map) copied = new Map();
      else if (value instanceof Set) copied = new Set();
      else copied = Object.create(Object.getPrototypeOf(value) as object | null);
      if (!Array.isArray(value) || !isFlat(value)) this.unfilled.push([value, copied as object]);
    }
    this.copies.set(value, copied);
    return copied;
  }

  private fill(from: object, to: object): void {
    if (Array.isArray(from)) {
      const into = to as unknown[];
      for (let i = 0; i < from.length; i++) into[i] = this.begin(from[i]);
    } else if (from instanceof Map) {
      for (const [name, value] of from)
        (to as Map<unknown, unknown>).set(this.begin(name), this.begin(value));
    } else if (from instanceof Set) {
      for (const value of from) (to as Set<unknown>).add(this.begin(value));
    } else {
      const source = from as Record<string, unknown>;
      for (const name of Object.keys(from)) (to as Record<string, unknown>)[name] = this.begin(source[name]);
    }
  }
}

/** True for an array of numbers or texts, which is copied at once. */
function isFlat(array: readonly unknown[]): boolean {
  for (let i = 0; i < array.length; i++) {
    const each = array[i];
    if (typeof each === 'object' && each !== null) return false;
  }
  return true;
}

class Freezer extends GraphCopier {
  readonly runs: PageRun[] = [];
  private readonly paged = new Map<ArrayBuffer, PagedBuffer>();

  constructor(private readonly store: SnapshotStore) {
    super();
  }

  protected leaf(value: object): unknown {
    if (!ArrayBuffer.isView(value)) return undefined;
    const { make, length } = describe(value);
    const buffer = value.buffer as ArrayBuffer;
    if (value.byteLength === buffer.byteLength && buffer.byteLength >= PAGE_BYTES) {
      return new FrozenView(make, 0, length, this.page(buffer));
    }
    const owned = memoryOf(value.byteLength);
    new Uint8Array(owned).set(new Uint8Array(buffer, value.byteOffset, value.byteLength));
    return new FrozenView(make, 0, length, owned);
  }

  private page(buffer: ArrayBuffer): PagedBuffer {
    let paged = this.paged.get(buffer);
    if (paged === undefined) {
      const run = this.store.keep(buffer);
      this.runs.push(run);
      this.paged.set(buffer, (paged = new PagedBuffer(run)));
    }
    return paged;
  }
}

class Thawer extends GraphCopier {
  private readonly restored = new Map<PagedBuffer, ArrayBuffer>();

  constructor(private readonly store: SnapshotStore) {
    super();
  }

  protected leaf(value: object): unknown {
    if (!(value instanceof FrozenView)) return undefined;
    const { buffer, make, offset, length } = value;
    return make(buffer instanceof PagedBuffer ? this.restore(buffer) : buffer.slice(0), offset, length);
  }

  private restore(paged: PagedBuffer): ArrayBuffer {
    let buffer = this.restored.get(paged);
    if (buffer === undefined) this.restored.set(paged, (buffer = this.store.restore(paged.run)));
    return buffer;
  }
}

/** What kind of view it is. Aliases over the same memory stay aliases when that is in pages. */
function describe(view: ArrayBufferView): { make: Make; length: number } {
  if (Buffer.isBuffer(view)) return { make: asBuffer, length: view.length };
  if (view instanceof DataView) return { make: asDataView, length: view.byteLength };
  const typed = view as Int32Array;
  const TypedArray = typed.constructor as Int32ArrayConstructor;
  let make = MAKERS.get(TypedArray);
  if (make === undefined) {
    MAKERS.set(TypedArray, (make = (buffer, offset, count) => new TypedArray(buffer, offset, count)));
  }
  return { make, length: typed.length };
}

const MAKERS = new Map<unknown, Make>();
const asBuffer: Make = (buffer, offset, length) => Buffer.from(buffer, offset, length);
const asDataView: Make = (buffer, offset, length) => new DataView(buffer, offset, length);
