/** Bytes of one page. */
export const PAGE_BYTES = 16 * 1024;
const PAGES_OF_SLAB = 256;
const SLAB_BYTES = PAGE_BYTES * PAGES_OF_SLAB;

/** Bytes kept in pages, the last one partly filled. */
export interface PageRun {
  readonly byteLength: number;
  readonly pages: Int32Array;
}

/**
 * Copies of byte ranges, page by page. A page that is equal in the copy made before is shared with it, so that copies of
 * memory that changes little cost little. Memory is given back exactly, without waiting for a garbage collection.
 */
export class PagePool {
  /** Pages in use, each counted once. */
  used = 0;
  private readonly slabs: Buffer[] = [];
  private references = new Uint32Array(PAGES_OF_SLAB);
  private readonly free: number[] = [];

  get usedBytes(): number {
    return this.used * PAGE_BYTES;
  }

  /** Bytes the pool holds, free pages included. */
  get heldBytes(): number {
    return this.slabs.length * SLAB_BYTES;
  }

  /** Keeps a copy; `before` is an older copy of the same memory, or null. */
  keep(bytes: Uint8Array, before: PageRun | null): PageRun {
    const count = Math.ceil(bytes.length / PAGE_BYTES);
    const pages = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const from = i * PAGE_BYTES;
      const to = Math.min(bytes.length, from + PAGE_BYTES);
      const old = before !== null && i < before.pages.length ? before.pages[i]! : -1;
      pages[i] = old >= 0 && this.holds(old, bytes, from, to) ? old : this.take(bytes, from, to);
      this.references[pages[i]!]!++;
    }
    return { byteLength: bytes.length, pages };
  }

  /** Copies a run back; `into` has its length. */
  restore({ pages, byteLength }: PageRun, into: Uint8Array): void {
    for (let i = 0; i < pages.length; i++) {
      const from = i * PAGE_BYTES;
      const length = Math.min(PAGE_BYTES, byteLength - from);
      const at = placeOf(pages[i]!);
      into.set(this.slabOf(pages[i]!).subarray(at, at + length), from);
    }
  }

  /** Gives back a run. It must not be used again. */
  release({ pages }: PageRun): void {
    for (const page of pages) {
      if (--this.references[page]! > 0) continue;
      this.free.push(page);
      this.used--;
    }
  }

  private holds(page: number, bytes: Uint8Array, from: number, to: number): boolean {
    const at = placeOf(page);
    return this.slabOf(page).compare(bytes, from, to, at, at + to - from) === 0;
  }

  private take(bytes: Uint8Array, from: number, to: number): number {
    if (this.free.length === 0) this.grow();
    const page = this.free.pop()!;
    this.slabOf(page).set(bytes.subarray(from, to), placeOf(page));
    this.used++;
    return page;
  }

  private grow(): void {
    const first = this.slabs.length * PAGES_OF_SLAB;
    this.slabs.push(Buffer.allocUnsafeSlow(SLAB_BYTES));
    if (first + PAGES_OF_SLAB > this.references.length) {
      const larger = new Uint32Array(this.references.length * 2);
      larger.set(this.references);
      this.references = larger;
    }
    for (let page = first + PAGES_OF_SLAB - 1; page >= first; page--) this.free.push(page);
  }

  private slabOf(page: number): Buffer {
    return this.slabs[Math.floor(page / PAGES_OF_SLAB)]!;
  }
}

const placeOf = (page: number): number => (page % PAGES_OF_SLAB) * PAGE_BYTES;
