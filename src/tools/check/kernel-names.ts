import {
  NAME_BLOCK_BYTES,
  NAME_PARTS,
  type NameBlock,
  type RdbCheckKernel,
} from '../../kernels/rdb-check.js';
import { nameHash, SUSPECTS_MAX, Suspects } from './names.js';

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

/** Asks for names that came twice, in the parts that whoever is asked can claim before others do. */
export interface NameJoinTask {
  readonly kind: 'join-names';
  readonly names: readonly PlacedNames[];
  readonly claimed: SharedArrayBuffer;
}

/** What came of it: names as `Suspects` takes them; null: too many. */
export interface Joined {
  readonly twice: readonly number[] | null;
}

/** Takes part in joining names, on another thread; resolves to null when it could not. */
export type JoinHelper = (task: NameJoinTask) => Promise<Joined | null>;

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
    const twice = joinParts(this.kernel, this.begin());
    return twice && new Suspects(twice);
  }

  /** The same, half of it done elsewhere. */
  async suspectsWith(helper: JoinHelper): Promise<Suspects | null> {
    const task = this.begin();
    const helped = helper(task);
    const own = joinParts(this.kernel, task);
    const other = await helped;
    // What it claimed then nobody has looked at.
    if (other === null) return this.suspects();
    if (own === null || other.twice === null || own.length + other.twice.length > SUSPECTS_MAX) return null;
    return new Suspects([...own, ...other.twice]);
  }

  private begin(): NameJoinTask {
    this.adopt({ blocks: this.give(), database: 0 });
    return { kind: 'join-names', names: this.adopted, claimed: new SharedArrayBuffer(4) };
  }
}

/** Finds the names that came twice in the parts that nobody has claimed yet; null: too many. */
export function joinParts(
  kernel: RdbCheckKernel,
  { names, claimed }: NameJoinTask,
): readonly number[] | null {
  const sorted = names.map((placed) => new BlocksByPart(placed));
  const next = new Int32Array(claimed);
  const suspects = new Suspects();
  const onTwice = (upper: number, lower: number): void => suspects.add(upper, lower);
  for (let part = 0; (part = Atomics.add(next, 0, 1)) < NAME_PARTS; ) {
    const blocks = sorted.flatMap((blocks) => blocks.of(part));
    if (blocks.length === 0) continue;
    const found = kernel.findTwice(part, blocks, onTwice);
    if (!found || suspects.size > SUSPECTS_MAX) return null;
  }
  return suspects.numbers;
}

/** The blocks of each part. Views of them are made part by part: thousands at once cost more than the looking. */
class BlocksByPart {
  /** Blocks by part, and where those of each part begin. */
  private readonly order: Uint32Array;
  private readonly starts = new Uint32Array(NAME_PARTS + 1);

  constructor(private readonly placed: PlacedNames) {
    const { owners } = placed.blocks;
    for (let i = 0; i < owners.length; i++) this.starts[owners[i]! + 1]!++;
    for (let part = 0; part < NAME_PARTS; part++) this.starts[part + 1]! += this.starts[part]!;
    this.order = new Uint32Array(owners.length);
    const next = this.starts.slice();
    for (let i = 0; i < owners.length; i++) this.order[next[owners[i]!]!++] = i;
  }

  of(part: number): NameBlock[] {
    const { blocks, database } = this.placed;
    const found: NameBlock[] = [];
    for (let at = this.starts[part]!; at < this.starts[part + 1]!; at++) {
      const block = this.order[at]!;
      const chunk = blocks.chunks[Math.floor(block / CHUNK_BLOCKS)]!;
      const names = new Uint8Array(chunk, (block % CHUNK_BLOCKS) * NAME_BLOCK_BYTES, NAME_BLOCK_BYTES);
      found.push({ names, database });
    }
    const rest = this.restOf(part);
    if (rest.length > 0) found.push({ names: rest, database });
    return found;
  }

  private restOf(part: number): Uint8Array {
    const { rest, restBytes } = this.placed.blocks;
    let at = 0;
    for (let before = 0; before < part; before++) at += restBytes[before]!;
    return rest.subarray(at, at + restBytes[part]!);
  }
}
