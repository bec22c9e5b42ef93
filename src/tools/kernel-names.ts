import { NAME_BLOCK_BYTES, NAME_PARTS, type RdbCheckKernel } from '../kernels/rdb-check.js';
import { nameHash, SUSPECTS_MAX, Suspects } from './check-names.js';

const CHUNK_BLOCKS = 256;

/** Names of one thread for another. */
export interface NameBlocks {
  /** Each holds up to 256 blocks. */
  readonly chunks: readonly SharedArrayBuffer[];
  /** The part that each block is of. */
  readonly owners: Uint8Array;
  /** What is in no block: so many bytes of each part. */
  readonly rest: Uint8Array;
  readonly restBytes: Uint32Array;
}

/** As `NameMemory`, with the names that a kernel comes by itself: 56 bits of a hash of each, of which it keeps six bytes. */
export class KernelNames {
  /** Bytes held by now. */
  heldBytes = 0;
  private readonly chunks: SharedArrayBuffer[] = [];
  private readonly owners: number[] = [];
  private now: Uint8Array = new Uint8Array(0);

  constructor(private readonly kernel: RdbCheckKernel) {}

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
    const parts: Buffer[] = [];
    const restBytes = new Uint32Array(NAME_PARTS);
    this.kernel.takeRest((part, names) => {
      restBytes[part] = names.length;
      parts.push(Buffer.from(names));
    });
    return {
      chunks: this.chunks.splice(0),
      owners: Uint8Array.from(this.owners.splice(0)),
      rest: new Uint8Array(Buffer.concat(parts)),
      restBytes,
    };
  }

  /** As that of `NameMemory`, of these names and those of another thread. */
  suspects(others: readonly NameBlocks[] = []): Suspects | null {
    const parts: Uint8Array[][] = Array.from({ length: NAME_PARTS }, () => []);
    for (const blocks of [this.give(), ...others]) spread(blocks, parts);
    const suspects = new Suspects();
    const onTwice = (upper: number, lower: number): void => suspects.add(upper, lower);
    for (const [part, blocks] of parts.entries()) {
      const found = this.kernel.findTwice(part, blocks, onTwice);
      if (!found || suspects.size > SUSPECTS_MAX) return null;
    }
    return suspects;
  }
}

function spread({ chunks, owners, rest, restBytes }: NameBlocks, parts: Uint8Array[][]): void {
  for (const [i, part] of owners.entries()) {
    const at = (i % CHUNK_BLOCKS) * NAME_BLOCK_BYTES;
    parts[part]!.push(new Uint8Array(chunks[Math.floor(i / CHUNK_BLOCKS)]!, at, NAME_BLOCK_BYTES));
  }
  let at = 0;
  for (const [part, bytes] of restBytes.entries()) {
    if (bytes > 0) parts[part]!.push(rest.subarray(at, (at += bytes)));
  }
}
