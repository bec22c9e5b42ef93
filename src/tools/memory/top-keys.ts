import type { KeyHead } from '../../model/handler.js';
import type { ValueKind } from '../../model/kind.js';
import type { KeySize } from './key-size.js';

/** A key among the largest. */
export interface LargeKey {
  readonly database: number;
  /** Its first bytes, one character per byte. */
  readonly key: string;
  /** Bytes of the whole name. */
  readonly keyBytes: number;
  readonly kind: ValueKind;
  readonly encoding: string;
  readonly elements: number;
  /** 0 where there is no RDB to take it from. */
  readonly fileBytes: number;
  readonly memoryBytes: number;
  /** Milliseconds since the epoch; null: never. */
  readonly expiresAtMs: number | null;
  /** -1: the file does not say. */
  readonly idleSeconds: number;
  readonly freq: number;
}

const SHOWN_BYTES = 1024;

/** The keys of the largest rank, as many as asked for: a heap whose first is the least of them. */
export class TopKeys {
  private readonly heap: { readonly rank: number; readonly key: LargeKey }[] = [];

  constructor(private readonly limit: number) {}

  offer(rank: number, head: KeyHead, size: KeySize): void {
    const { heap, limit } = this;
    if (heap.length < limit) {
      heap.push({ rank, key: keyOf(head, size) });
      this.rise(heap.length - 1);
    } else if (limit > 0 && rank > heap[0]!.rank) {
      heap[0] = { rank, key: keyOf(head, size) };
      this.sink();
    }
  }

  /** The largest first. */
  list(): LargeKey[] {
    return [...this.heap]
      .sort((a, b) => b.rank - a.rank || (a.key.key < b.key.key ? -1 : 1))
      .map(({ key }) => key);
  }

  private rise(from: number): void {
    const { heap } = this;
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.rank <= heap[at]!.rank) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  private sink(): void {
    const { heap } = this;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && heap[child]!.rank < heap[least]!.rank) least = child;
      }
      if (least === at) return;
      this.swap(at, least);
      at = least;
    }
  }

  private swap(a: number, b: number): void {
    const { heap } = this;
    const kept = heap[a]!;
    heap[a] = heap[b]!;
    heap[b] = kept;
  }
}

function keyOf(head: KeyHead, size: KeySize): LargeKey {
  const { bytes, start, end } = head.key;
  return {
    database: head.database,
    key: bytes.latin1Slice(start, Math.min(end, start + SHOWN_BYTES)),
    keyBytes: end - start,
    kind: head.kind,
    encoding: size.encoding,
    elements: size.elements,
    fileBytes: size.fileBytes,
    memoryBytes: size.memoryBytes,
    expiresAtMs: head.hasExpiry ? Number(head.expiresAtMs) : null,
    idleSeconds: head.idleSeconds,
    freq: head.freq,
  };
}
