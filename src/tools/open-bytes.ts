import type { SizedSource } from '../bytes/file-tree.js';
import { PeekedSource } from '../bytes/peeked.js';
import { type ByteSource, readHead } from '../bytes/source.js';
import { spooled } from '../bytes/spool.js';
import { type Packing, packingOf, UnpackedSource } from '../bytes/unpack.js';
import { FormatError, InputError } from '../errors.js';
import { DamageError, findingOf } from './report.js';
import { SNIFF_BYTES } from './sniff.js';

/** A source with all that was packed around it taken off. */
export interface PlainBytes {
  readonly source: ByteSource;
  /** Its first bytes; none when not one could be unpacked. */
  readonly head: Buffer;
  /** Why there are fewer of them than there should be; null otherwise. */
  readonly damage: FormatError | null;
  /** How it was packed, outermost first. */
  readonly packings: readonly Packing[];
}

export interface UnpackOptions {
  readonly signal: AbortSignal | null;
  /** Where temporary files go. */
  readonly temporaryDirectory: string;
  /** Is told how many bytes have been kept in a temporary file. */
  readonly receiving?: (label: string, bytes: number) => void;
}

/** `dump.rdb.gz` in a `.tar.zst` is as deep as one sees; a file that unpacks to itself has no end. */
const DEPTH_MAX = 4;

/**
 * Looks at the first bytes of a source and takes off what is packed around them: gzip, zstd and LZ4, and Valkey's
 * envelope inside.
 *
 * @throws InputError when it is packed too deep
 */
export async function unpacked(
  source: ByteSource,
  { signal }: Pick<UnpackOptions, 'signal'>,
): Promise<PlainBytes> {
  const packings: Packing[] = [];
  let at = source;
  for (;;) {
    const peeked = await peek(at, signal, packings.length > 0);
    const packing = packingOf(peeked.head);
    if (packing === null) return { ...peeked, packings };
    if (packings.length === DEPTH_MAX) {
      throw new InputError(
        'input/packed',
        source.label,
        `is packed more than ${DEPTH_MAX} times over (${packings.join(' in ')})`,
        'unpack it yourself, and give what is inside',
      );
    }
    packings.unshift(packing);
    at = new UnpackedSource(peeked.source, packing);
  }
}

async function peek(
  source: ByteSource,
  signal: AbortSignal | null,
  isUnpacked: boolean,
): Promise<Omit<PlainBytes, 'packings'>> {
  if (source.once !== true && !isUnpacked) {
    return { source, head: await readHead(source, SNIFF_BYTES), damage: null };
  }
  const isFile = source.once !== true && source instanceof UnpackedSource;
  const peeked = new PeekedSource(isFile ? source.here : source);
  const head = await peeked.peek(SNIFF_BYTES, signal);
  const damage = peeked.failure instanceof FormatError ? peeked.failure : null;
  if (source.once === true) return { source: peeked, head, damage };
  await peeked.close();
  return { source, head, damage };
}

/**
 * The same bytes where any part of them is at hand: files as they are, pipes and compressed files copied to a temporary
 * file.
 *
 * @throws InputError when there is no room for it, DamageError when the packed bytes are damaged
 */
export async function seekable(source: ByteSource, options: UnpackOptions): Promise<SizedSource> {
  if (source.once !== true && !(source instanceof UnpackedSource) && source.size !== null) {
    return source as SizedSource;
  }
  const { signal, temporaryDirectory: directory, receiving } = options;
  const progress = (bytes: number): void => receiving?.(source.label, bytes);
  try {
    return await spooled(source, { directory, signal, progress });
  } catch (error) {
    if (error instanceof FormatError) throw new DamageError(findingOf(error, source.label));
    throw error;
  }
}
