import zlib from 'node:zlib';
import { UsageError } from '../errors.js';
import { Lz4Target } from './lz4-target.js';
import { type ByteTarget, ChunkedTarget } from './target.js';

/** How an output is compressed. */
export type OutputPacking = 'gzip' | 'zstd' | 'lz4';

/** A target around another that compresses what goes in. */
export interface PackingTarget extends ByteTarget {
  /** Hands the end of the compressed bytes on; nothing may be written after it. `publish` does it, if nobody has. */
  end(): Promise<void>;
}

/** zlib's streams, in the types of Node.js 20, which has none for zstd. */
type ZlibStream = zlib.Gzip;
type CreateZstd = (options: { readonly params: Readonly<Record<number, number>> }) => ZlibStream;
const createZstdCompress = (zlib as { readonly createZstdCompress?: CreateZstd }).createZstdCompress;
/** ZSTD_c_checksumFlag: the frame ends in a checksum of its content. */
const ZSTD_CHECKSUM = { params: { 201: 1 } };

/** @throws UsageError where this Node.js cannot write it */
export function assertPacks(packing: OutputPacking, known = createZstdCompress !== undefined): void {
  if (packing !== 'zstd' || known) return;
  throw new UsageError(
    'zstd is written with Node.js 22.15 or later, and this one is older',
    'write .gz or .lz4, or pipe: rekindle convert … - --to FORM | zstd > OUT',
  );
}

/** Compresses what is written into `into`, as one member or frame. @throws UsageError as `assertPacks` */
export function packingTarget(packing: OutputPacking, into: ByteTarget): PackingTarget {
  assertPacks(packing);
  if (packing === 'lz4') return new Lz4Target(into);
  return new ZlibTarget(packing === 'gzip' ? zlib.createGzip() : createZstdCompress!(ZSTD_CHECKSUM), into);
}

/** Compresses on a thread of zlib's, a chunk at a time. */
class ZlibTarget extends ChunkedTarget implements PackingTarget {
  private readonly ended: Promise<void>;
  private ending: Promise<void> | null = null;

  constructor(
    private readonly stream: ZlibStream,
    private readonly into: ByteTarget,
  ) {
    super(into.label);
    stream.on('data', (bytes: Uint8Array) => into.write(bytes));
    this.ended = new Promise((resolve, reject) => {
      stream.on('end', resolve);
      stream.on('error', reject);
    });
    this.ended.catch(() => {});
  }

  protected override async append(bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
    if (this.into.full) await this.into.drain();
  }

  end(): Promise<void> {
    this.ending ??= this.finish();
    return this.ending;
  }

  private async finish(): Promise<void> {
    await this.flush();
    this.stream.end();
    await this.ended;
    await this.into.drain();
  }

  override async publish(): Promise<void> {
    await this.end();
    this.open = false;
    await this.into.publish();
  }

  override async discard(): Promise<void> {
    await this.abandon();
    this.stream.destroy();
    await this.into.discard();
  }
}
