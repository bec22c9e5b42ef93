import { type ErrorDetail, FormatError } from '../errors.js';
import { PackedInput } from './packed-input.js';
import { type ByteReader, type ByteSource, FileSource } from './source.js';
import { UnpackThread } from './unpack-thread.js';

/** How bytes can be packed; 'vcs' is Valkey's own envelope around an RDB. */
export type Packing = 'gzip' | 'zstd' | 'lz4' | 'vcs';

/** How the bytes that start so are packed, null when they are not. */
export function packingOf(head: Uint8Array): Packing | null {
  const [a, b, c, d] = head;
  if (a === 0x1f && b === 0x8b) return 'gzip';
  if (a === 0x56 && b === 0x43 && c === 0x53) return 'vcs';
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd';
  if (a === 0x04 && b === 0x22 && c === 0x4d && d === 0x18) return 'lz4';
  // A skippable frame opens files of either kind; what follows it tells.
  if (a !== undefined && a >> 4 === 5 && b === 0x2a && c === 0x4d && d === 0x18) return 'zstd';
  return null;
}

/** What is wrong with packed bytes. */
export type PackedFlaw =
  | 'packed/truncated'
  | 'packed/corrupt'
  | 'packed/checksum-mismatch'
  | 'packed/unsupported'
  | 'packed/trailing-bytes';

/** Makes the error for a flaw at this offset of the packed bytes. */
export type Fail = (code: PackedFlaw, packedOffset: number, detail?: ErrorDetail) => FormatError;

/** One pass over packed bytes. */
export interface Unpacker {
  /**
   * The next plain bytes, never none; null at a valid end. Borrowed: valid until the next call.
   * @throws FormatError when the packed bytes are damaged
   */
  next(): Promise<Uint8Array | null>;
  close(): void;
}

/**
 * The plain bytes of a packed source, unpacked as they are read. Memory is bounded by the format's own blocks, whatever
 * headers claim. Opening it at an offset unpacks everything before and drops it; whoever goes back often should spool
 * it first. `size` is null until a pass has reached the end.
 */
export class UnpackedSource implements ByteSource {
  readonly label: string;
  private known: number | null = null;

  constructor(
    private readonly packed: ByteSource,
    readonly packing: Packing,
  ) {
    this.label = packed.label;
  }

  get size(): number | null {
    return this.known;
  }

  get once(): boolean {
    return this.packed.once === true;
  }

  async open(start = 0): Promise<ByteReader> {
    const { packed, packing, atEnd } = this;
    const openHere = (from: number) => openUnpacked(packed, packing, from, atEnd);
    const thread =
      packed instanceof FileSource ? UnpackThread.start(packed, { packing, start }, openHere, atEnd) : null;
    return thread ?? openHere(start);
  }

  /** The same source, never unpacked on another thread: for a look at its first bytes. */
  get here(): ByteSource {
    const { label, size, once, packed, packing, atEnd } = this;
    return { label, size, once, open: (start = 0) => openUnpacked(packed, packing, start, atEnd) };
  }

  private readonly atEnd = (size: number): void => {
    this.known = size;
  };
}

/** Unpacks on this thread. `atEnd` is told the number of plain bytes. */
export async function openUnpacked(
  packed: ByteSource,
  packing: Packing,
  start: number,
  atEnd: (size: number) => void,
): Promise<ByteReader> {
  const reader = new UnpackReader(new PackedInput(await packed.open()), packing, atEnd);
  try {
    await reader.discard(start);
    return reader;
  } catch (error) {
    await reader.close();
    throw error;
  }
}

const NOTHING = new Uint8Array(0);

class UnpackReader implements ByteReader {
  private unpacker: Unpacker | null = null;
  private rest: Uint8Array = NOTHING;
  /** Plain bytes unpacked so far. */
  private produced = 0;
  private ended = false;
  private closed = false;
  private failure: unknown = null;

  constructor(
    private readonly input: PackedInput,
    private readonly packing: Packing,
    private readonly atEnd: (size: number) => void,
  ) {}

  async read(into: Uint8Array): Promise<number> {
    if (!(await this.fill())) return 0;
    const part = this.rest.subarray(0, into.length);
    into.set(part);
    this.rest = this.rest.subarray(part.length);
    return part.length;
  }

  /** Unpacks and drops `count` bytes, or as many as there are. */
  async discard(count: number): Promise<void> {
    for (let left = count; left > 0 && (await this.fill()); ) {
      const here = Math.min(left, this.rest.length);
      this.rest = this.rest.subarray(here);
      left -= here;
    }
  }

  /** Has plain bytes at hand; false at the end. What failed once fails again: nothing follows damage. */
  private async fill(): Promise<boolean> {
    if (this.rest.length > 0) return true;
    if (this.failure !== null) throw this.failure;
    if (this.ended || this.closed) return false;
    try {
      this.unpacker ??= await startUnpacker(this.packing, this.input, this.fail);
      const next = await this.unpacker.next();
      if (next === null) {
        this.ended = true;
        if (!this.closed) this.atEnd(this.produced);
        return false;
      }
      this.rest = next;
      this.produced += next.length;
      return true;
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  /** The offset is one of the plain bytes, as all offsets in messages about this input are. */
  private readonly fail: Fail = (code, packedOffset, detail = {}) =>
    new FormatError(code, this.produced, { packing: this.packing, ...detail, packedOffset });

  async close(): Promise<void> {
    this.closed = true;
    this.unpacker?.close();
    await this.input.close();
  }
}

/** Loaded when first met: most inputs are plain. */
async function startUnpacker(packing: Packing, input: PackedInput, fail: Fail): Promise<Unpacker> {
  switch (packing) {
    case 'gzip':
      return new (await import('./unpack-gzip.js')).GzipUnpacker(input, fail);
    case 'vcs':
      return new (await import('./unpack-vcs.js')).VcsUnpacker(input, fail);
    case 'zstd':
    case 'lz4':
      return new (await import('./unpack-frames.js')).FramesUnpacker(input, fail);
  }
}
