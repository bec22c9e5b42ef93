/** A member of an archive put together by hand. */
export interface TarEntry {
  readonly name: string;
  readonly bytes?: Buffer;
  /** Default: that of the bytes. */
  readonly size?: number;
  readonly type?: string;
  readonly link?: string;
  readonly prefix?: string;
  /** Size in the notation for large files. */
  readonly base256?: boolean;
  /** Records of an extended header in front. */
  readonly pax?: Readonly<Record<string, string>>;
  /** A name in a GNU header in front. */
  readonly gnuName?: string;
  /** What a link names, likewise. */
  readonly gnuLink?: string;
}

const BLOCK = 512;

/** A ustar archive. */
export function tar(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(member), Buffer.alloc(2 * BLOCK)]);
}

function member(entry: TarEntry): Buffer[] {
  const { bytes = Buffer.alloc(0), pax, gnuName, gnuLink } = entry;
  const front: Buffer[] = [];
  if (pax !== undefined) {
    const records = Object.entries(pax).map(([key, value]) => record(`${key}=${value}\n`));
    front.push(...member({ name: 'pax', type: 'x', bytes: Buffer.concat(records) }));
  }
  if (gnuName !== undefined) {
    front.push(...member({ name: '././@LongLink', type: 'L', bytes: Buffer.from(`${gnuName}\0`) }));
  }
  if (gnuLink !== undefined) {
    front.push(...member({ name: '././@LongLink', type: 'K', bytes: Buffer.from(`${gnuLink}\0`) }));
  }
  const padding = Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK);
  return [...front, header(entry, entry.size ?? bytes.length), bytes, padding];
}

/** The length in front counts its own digits. */
function record(text: string): Buffer {
  const rest = Buffer.byteLength(text) + 1;
  let length = rest;
  while (String(length).length + rest !== length) length++;
  return Buffer.from(`${length} ${text}`);
}

function header({ name, type = '0', link = '', prefix = '', base256 }: TarEntry, size: number): Buffer {
  const bytes = Buffer.alloc(BLOCK);
  bytes.write(name, 0, 100);
  bytes.write('0000600\0', 100);
  if (base256 === true) {
    bytes.writeBigUInt64BE(BigInt(size), 128);
    bytes[124] = 0x80;
  } else {
    bytes.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  }
  bytes.write('00000000000\0', 136);
  bytes.write(type, 156);
  bytes.write(link, 157, 100);
  bytes.write('ustar\x0000', 257);
  bytes.write(prefix, 345, 155);
  const sum = bytes.reduce((total, byte) => total + byte, 0) + 8 * 32;
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}
