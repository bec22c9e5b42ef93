import { NAME_BLOCK_BYTES, NAME_PARTS, type NameBlock, type RdbCheckKernel } from '../kernels/rdb-check.js';
import { nameHash, SUSPECTS_MAX, Suspects } from './check-names.js';

const CHUNK_BLOCKS = 256;

/** Names that were collected together, in memory that threads share. */
export interface NameBlocks {
  /** Each holds up to 256 blocks. */
  readonly chunks: readonly SharedArrayBuffer[];
  /** The part that each block is of. */
  readonly owners: Uint8Array;
  /** What is in no block: so many bytes of each part. */
  readonly rest: Uint8Array;
  readonly restBytes: Uint32Array;
}

/** The same, with the database that they turned out to be of when they were kept as those of database 0; else 0. */
export interface PlacedNames {
  readonly blocks: NameBlocks;
  readonly database: number;
}

/** As `NameMemory`, with the names that a kernel comes by itself: 56 bits of a hash of each, of which it keeps six bytes. */
export class KernelNames {
  /** Bytes held by now. */
  heldBytes = 0;
  private readonly chunks: SharedArrayBuffer[] = [];
  private readonly owners: number[] = [];
  private readonly adopted: PlacedNames[] = [];
  private now: Uint8Array = new Uint8Array(0);

  constructor(private readonly kernel: RdbCheckKernel) {
    kernel.begin();
  }

  /** Takes a name that the kernel did not read; true when that took more memory. */
  add(database: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { heldBytes } = this;
    const { upper, lower } = nameHash(database, bytes, start, end);
    this.kernel.addName(upper, lower, this.take);
    return this.heldBytes > heldBytes;
  }

  /** What the kernel gives its blocks to. */
  readonly take = (blocks: Uint8Array, stride: number, owners: Uint8Array): void => {
    for (let i = 0; i < owners.length; i++) {
      const slot = this.owners.length % CHUNK_BLOCKS;
      if (slot === 0) this.grow();
      this.now.set(blocks.subarray(i * stride, i * stride + NAME_BLOCK_BYTES), slot * NAME_BLOCK_BYTES);
      this.owners.push(owners[i]!);
    }
  };

  private grow(): void {
    const chunk = new SharedArrayBuffer(CHUNK_BLOCKS * NAME_BLOCK_BYTES);
    this.chunks.push(chunk);
    this.now = new Uint8Array(chunk);
    this.heldBytes += chunk.byteLength;
  }

  /** All of them, which are then forgotten here. */
  give(): NameBlocks {
    const { rest, restBytes } = this.kernel.takeRest();
    return { chunks: this.chunks.splice(0), owners: Uint8Array.from(this.owners.splice(0)), rest, restBytes };
  }

  /** Takes over what another thread collected. */
  adopt(names: PlacedNames): void {
    this.adopted.push(names);
  }

  /** As that of `NameMemory`, the names of other threads among them. */
  suspects(): Suspects | null {
    const parts: NameBlock[][] = Array.from({ length: NAME_PARTS }, () => []);
    for (const names of [{ blocks: this.give(), database: 0 }, ...this.adopted]) spread(names, parts);
    const suspects = new Suspects();
    const onTwice = (upper: number, lower: number): void => suspects.add(upper, lower);
    for (const [part, blocks] of parts.entries()) {
      const found = this.kernel.findTwice(part, blocks, onTwice);
      if (!found || suspects.size > SUSPECTS_MAX) return null;
    }
    return suspects;
  }
}

function spread({ blocks, database }: PlacedNames, parts: NameBlock[][]): void {
  const { chunks, owners, rest, restBytes } = blocks;
  for (const [i, part] of owners.entries()) {
    const chunk = chunks[Math.floor(i / CHUNK_BLOCKS)]!;
    const names = new Uint8Array(chunk, (i % CHUNK_BLOCKS) * NAME_BLOCK_BYTES, NAME_BLOCK_BYTES);
    parts[part]!.push({ names, database });
  }
  let at = 0;
  for (const [part, bytes] of restBytes.entries()) {
    if (bytes > 0) parts[part]!.push({ names: rest.subarray(at, (at += bytes)), database });
  }
}
