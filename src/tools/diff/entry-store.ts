import type { ScratchFile } from '../../bytes/scratch-file.js';
import { BLOCK_BYTES, ENTRY_BYTES, PARTS } from '../../kernels/records.js';
import { blockOf, ownersOf, SLAB_BLOCKS, type Slab, SlabFiller } from './slabs.js';

/** What may be held, over both sides, and where the rest goes. */
export interface Room {
  /** Bytes held now. */
  heldBytes: number;
  readonly scratch: () => Promise<ScratchFile>;
  /** Slabs whose blocks went there. */
  readonly spare: Slab[];
}

/** Entries that were written out together: those of part `i` from `starts[i]` up to `starts[i + 1]`. */
type Run = Float64Array;

/** All entries of a side, as another thread is given them. */
export interface SharedEntries {
  readonly slabs: readonly Slab[];
  /** Full blocks in each of them. */
  readonly filled: readonly number[];
  readonly last: readonly { readonly part: number; readonly entries: Uint8Array }[];
}

/** The entries of one part that are held. */
class Part {
  /** Full blocks of them, by the number of their slab and theirs in it. */
  readonly blocks: number[] = [];
  /** What comes behind those. */
  readonly rest: Uint8Array[] = [];
  /** Bytes of both. */
  bytes = 0;
}

/** The entries of a part, as they lie in memory. */
function* piecesOf({ blocks, rest }: Part, slabs: readonly Slab[]): Generator<Uint8Array> {
  for (const block of blocks) yield blockOf(slabs[Math.floor(block / SLAB_BLOCKS)]!, block % SLAB_BLOCKS);
  yield* rest;
}

const emptyParts = (): Part[] => Array.from({ length: PARTS }, () => new Part());

/** The entries of one side, by part, each in the order in which the side holds its keys. */
export class EntryStore {
  private parts = emptyParts();
  private readonly runs: Run[] = [];
  private heldBytes = 0;
  private slabs: Slab[] = [];
  /** Full blocks in each of them. */
  private filled: number[] = [];
  private readonly filler: SlabFiller;
  /** Bytes of entries, held and written. */
  bytes = 0;

  constructor(private readonly room: Room) {
    this.filler = new SlabFiller(room.spare, this.takeSlab.bind(this));
  }

  /** Says that no more blocks come. */
  finish(): void {
    this.filler.finish();
  }

  /** Takes full blocks, which stay the caller's. */
  take(blocks: Uint8Array, owners: Uint8Array): void {
    this.filler.take(blocks, owners);
  }

  /** Takes a slab with so many full blocks. */
  takeSlab(slab: Slab, blocks: number): void {
    const { parts, slabs } = this;
    const first = slabs.push(slab) * SLAB_BLOCKS - SLAB_BLOCKS;
    this.filled.push(blocks);
    const owners = ownersOf(slab);
    for (let block = 0; block < blocks; block++) {
      const part = parts[owners[block]!]!;
      part.blocks.push(first + block);
      part.bytes += BLOCK_BYTES;
    }
    this.bytes += blocks * BLOCK_BYTES;
    this.hold(blocks * BLOCK_BYTES);
  }

  /** Takes the last entries of a part, behind all blocks. */
  takeLast(part: number, entries: Uint8Array): void {
    const into = this.parts[part]!;
    into.rest.push(entries);
    into.bytes += entries.length;
    this.bytes += entries.length;
    this.hold(entries.length);
  }

  private hold(bytes: number): void {
    this.heldBytes += bytes;
    this.room.heldBytes += bytes;
  }

  /** Forgets all of it. */
  clear(): void {
    this.finish();
    this.room.heldBytes -= this.heldBytes;
    this.room.spare.push(...this.letGo().slabs);
    this.runs.length = 0;
    this.bytes = 0;
  }

  /** For another thread, to read; null when some went to disk. */
  share(): SharedEntries | null {
    if (this.runs.length > 0) return null;
    const { slabs, filled, parts } = this;
    const last = parts.flatMap(({ rest }, part) => rest.map((entries) => ({ part, entries })));
    return { slabs, filled, last };
  }

  /** Takes what another thread shares. */
  takeShared({ slabs, filled, last }: SharedEntries): void {
    slabs.forEach((slab, i) => {
      this.takeSlab(slab, filled[i]!);
    });
    for (const { part, entries } of last) this.takeLast(part, entries);
  }

  /** Forgets what is held, and where it was: it has been compared. */
  release(): void {
    const { room } = this;
    room.heldBytes -= this.letGo().bytes;
    room.spare.length = 0;
  }

  /** What is held, which the caller has to answer for from now on. */
  private letGo(): {
    readonly parts: readonly Part[];
    readonly slabs: readonly Slab[];
    readonly bytes: number;
  } {
    const { parts, slabs, heldBytes: bytes } = this;
    this.parts = emptyParts();
    this.slabs = [];
    this.filled = [];
    this.heldBytes = 0;
    return { parts, slabs, bytes };
  }

  /** Writes out what is held, while nobody else writes. @throws OutputError when there is no room for it */
  async spill(): Promise<void> {
    this.finish();
    if (this.heldBytes === 0) return;
    const { parts, slabs, bytes } = this.letGo();
    const { room } = this;
    const scratch = await room.scratch();
    const starts = new Float64Array(PARTS + 1);
    let start = scratch.size;
    for (const [part, held] of parts.entries()) {
      starts[part] = start;
      start += held.bytes;
    }
    starts[PARTS] = start;
    this.runs.push(starts);
    for (const held of parts) await scratch.write(Buffer.concat([...piecesOf(held, slabs)]));
    room.heldBytes -= bytes;
    room.spare.push(...slabs);
  }

  /** Bytes of the entries of a part. */
  partBytes(part: number): number {
    let sum = 0;
    for (const starts of this.runs) sum += starts[part + 1]! - starts[part]!;
    return sum + this.parts[part]!.bytes;
  }

  /** Puts the entries of a part into `into`, which has room for them. */
  async bring(part: number, into: Uint8Array): Promise<number> {
    let at = 0;
    for (const starts of this.runs) {
      const size = starts[part + 1]! - starts[part]!;
      if (size === 0) continue;
      const scratch = await this.room.scratch();
      await scratch.read(starts[part]!, into.subarray(at, at + size));
      at += size;
    }
    for (const piece of piecesOf(this.parts[part]!, this.slabs)) {
      into.set(piece, at);
      at += piece.length;
    }
    return at / ENTRY_BYTES;
  }
}
