import { FormatError, InputError } from '../errors.js';
import type { ByteReader, ByteSource } from './source.js';

const BLOCK = 512;
/** A name, or a record of attributes, longer than this is none. */
const EXTRA_MAX = 64 * 1024;
const MEMBERS_MAX = 100_000;
/** Bytes kept of the ends of members in archives that can't be gone back in, and of how many members. */
const HEAD = 64 * 1024;
const TAIL = 4 * 1024;
const ENDS_MAX = 500;
/** Names of files that datasets are made of. */
export const DATA_NAME = /\.(rdb|aof|manifest|dfs|ndjson|gz|zst|lz4|conf)$/;
/** Members up to this size are read past rather than jumped over. */
const JUMP_FROM = 1024 * 1024;

/** True when the bytes start with the header of an archive's member, in any dialect since the seventh Unix. */
export function isTar(head: Buffer): boolean {
  return head.length >= BLOCK && head[0] !== 0 && hasChecksum(head, 0);
}

/** A file in an archive. */
export interface TarMember {
  /** Relative, normalised: no empty part, no `.`, no `..`. */
  readonly name: string;
  /** Offset of its bytes in the archive. */
  readonly start: number;
  readonly size: number;
  /** Its first and last bytes, where going back to them has a price; missing otherwise. */
  readonly ends?: MemberEnds;
}

/** The first and the last bytes of a member; all of a small one is in either. */
export interface MemberEnds {
  readonly head: Buffer;
  readonly tail: Buffer;
}

/** What an archive holds. */
export interface TarIndex {
  /** Files by name; of several with one name the last, as unpacking would leave them. */
  readonly members: ReadonlyMap<string, TarMember>;
  /** Names left out, and why: links, devices, sparse files, names that lead out of the archive. */
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
}

/**
 * Lists an archive (v7, ustar, pax, GNU) without unpacking it. One whose size is not known is packed: it is read through
 * once, and the ends of its members are kept.
 *
 * @throws FormatError `packed/…` when a header is damaged or the archive ends early
 */
export async function indexTar(source: ByteSource): Promise<TarIndex> {
  const cursor = new TarCursor(source);
  const members = new Map<string, TarMember>();
  const skipped: { name: string; why: string }[] = [];
  let extra: Extra = {};
  try {
    for (;;) {
      const offset = cursor.offset;
      const header = await cursor.take(BLOCK, 'header');
      // Two empty blocks end an archive; one, or the end of the file, will do.
      if (header === null || header.every((byte) => byte === 0)) break;
      if (!hasChecksum(header, 0)) throw corrupt(offset, 'header-checksum');
      const entry = entryOf(header, extra, offset);
      const extends_ = EXTENSIONS.has(entry.type);
      if (extends_) {
        if (entry.size > EXTRA_MAX) throw corrupt(offset, 'extended-header-too-long');
        const bytes = await cursor.take(roundUp(entry.size), 'extended-header');
        if (bytes === null) throw truncated(cursor.offset, 'extended-header');
        extra = extended(extra, entry.type, bytes.subarray(0, entry.size), offset);
        continue;
      }
      extra = {};
      const start = cursor.offset;
      const name = safeName(entry.name);
      const keeps = source.size === null && DATA_NAME.test(entry.name) && members.size < ENDS_MAX;
      const ends = await cursor.pass(entry, keeps);
      const why = name === null ? 'leads out of the archive' : refusal(entry);
      if (why === 'nothing' || name === '') continue;
      // The bytes of a hard link are those of the member it names, which stands before it.
      const linked = entry.type === '1' ? members.get(safeName(entry.link) ?? '') : undefined;
      if (name !== null && linked !== undefined) members.set(name, { ...linked, name });
      else if (why !== null) skipped.push({ name: entry.name, why });
      else members.set(name!, { name: name!, start, size: entry.size, ...(ends !== null && { ends }) });
      if (members.size + skipped.length > MEMBERS_MAX) throw tooMany(source.label);
    }
  } finally {
    await cursor.close();
  }
  return { members, skipped };
}

/** What extended headers say of the member that follows. */
interface Extra {
  readonly name?: string;
  readonly link?: string;
  readonly size?: number;
  readonly sparse?: boolean;
}

const EXTENSIONS = new Set(['x', 'g', 'L', 'K']);

interface Entry {
  readonly name: string;
  /** What a link names; '' for all else. */
  readonly link: string;
  readonly size: number;
  readonly type: string;
  readonly sparse: boolean;
}

function entryOf(header: Buffer, extra: Extra, offset: number): Entry {
  const type = String.fromCharCode(header[156]!);
  const prefix = header.latin1Slice(257, 263) === 'ustar\0' ? text(header, 345, 155) : '';
  const own = text(header, 0, 100);
  const name = extra.name ?? (prefix === '' ? own : `${prefix}/${own}`);
  const size = EXTENSIONS.has(type)
    ? number(header, 124, 12, offset)
    : (extra.size ?? number(header, 124, 12, offset));
  // Links and devices have no bytes, whatever their size says.
  const hasBytes = !/[1-6]/.test(type);
  const link = extra.link ?? text(header, 157, 100);
  return { name, link, size: hasBytes ? size : 0, type, sparse: extra.sparse === true };
}

/** Why a member is no file to be read; 'nothing' for what no one would look for among files. */
function refusal({ type, sparse, name }: Entry): string | null {
  // Directories, also of incremental archives, labels of volumes, and what macOS keeps beside each file.
  if (/[5DV]/.test(type) || name.endsWith('/') || /(^|\/)\._[^/]*$/.test(name)) return 'nothing';
  if (type === '1') return 'hard link to a file that is not before it in the archive';
  if (type === '2') return 'symbolic link';
  if (type === 'S' || sparse) return 'sparse file';
  return type === '0' || type === '\0' || type === '7' ? null : 'not a file';
}

function extended(extra: Extra, type: string, bytes: Buffer, offset: number): Extra {
  if (type === 'L') return { ...extra, name: text(bytes, 0, bytes.length) };
  if (type === 'K') return { ...extra, link: text(bytes, 0, bytes.length) };
  return type === 'x' ? { ...extra, ...paxRecords(bytes, offset) } : extra;
}

/** Records of `LENGTH KEY=VALUE\n`. */
function paxRecords(bytes: Buffer, offset: number): Extra {
  let extra: Extra = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at);
    const length = space < 0 || space - at > 6 ? 0 : Number(bytes.latin1Slice(at, space));
    const end = at + length;
    const isRecord = space >= 0 && Number.isInteger(length) && end > space;
    if (!isRecord || end > bytes.length || bytes[end - 1] !== 10) {
      throw corrupt(offset, 'extended-header');
    }
    const record = bytes.utf8Slice(space + 1, end - 1);
    const equals = record.indexOf('=');
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (key === 'path') extra = { ...extra, name: value };
    else if (key === 'linkpath') extra = { ...extra, link: value };
    else if (key === 'size' && /^\d{1,15}$/.test(value)) extra = { ...extra, size: Number(value) };
    else if (key === 'size') throw corrupt(offset, 'size');
    else if (key.startsWith('GNU.sparse.')) extra = { ...extra, sparse: true };
    at = end;
  }
  return extra;
}

/** The name without empty parts and `.`; null when it is absolute or has `..`, '' when nothing is left of it. */
function safeName(name: string): string | null {
  const parts = name.split('/');
  if (name.startsWith('/') || parts.includes('..') || /[\0\\]/.test(name)) return null;
  return parts.filter((part) => part !== '' && part !== '.').join('/');
}

function text(bytes: Buffer, start: number, length: number): string {
  const zero = bytes.indexOf(0, start);
  const end = zero < 0 ? start + length : Math.min(zero, start + length);
  return bytes.utf8Slice(start, end);
}

/** Octal digits, or a big-endian number behind a set top bit. */
function number(bytes: Buffer, start: number, length: number, offset: number): number {
  if (bytes[start]! & 0x80) {
    let value = bytes[start]! & 0x7f;
    for (let at = start + 1; at < start + length; at++) value = value * 256 + bytes[at]!;
    if (Number.isSafeInteger(value)) return value;
    throw corrupt(offset, 'size');
  }
  const digits = text(bytes, start, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw corrupt(offset, 'size');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

/** Bytes of the header, its own checksum counted as blanks; old programs summed signed bytes. */
function hasChecksum(header: Buffer, at: number): boolean {
  const stored = Number.parseInt(text(header, at + 148, 8).trim(), 8);
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 32 : header[at + i]!;
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  return stored === unsigned || stored === signed;
}

const roundUp = (size: number): number => Math.ceil(size / BLOCK) * BLOCK;
const corrupt = (offset: number, reason: string) =>
  new FormatError('packed/corrupt', offset, { packing: 'tar', reason });
const truncated = (offset: number, reading: string) =>
  new FormatError('packed/truncated', offset, { packing: 'tar', reading });
const tooMany = (label: string) =>
  new InputError(
    'input/archive',
    label,
    `holds more than ${MEMBERS_MAX} files`,
    'unpack it and name the files',
  );

/** Reads headers and moves past the members between them. */
class TarCursor {
  offset = 0;
  private reader: ByteReader | null = null;
  private readonly scratch = Buffer.allocUnsafeSlow(EXTRA_MAX);

  constructor(private readonly source: ByteSource) {}

  /** The next bytes, borrowed; null when the source ends before the first of them. */
  async take(count: number, reading: string): Promise<Buffer | null> {
    const { source, scratch } = this;
    this.reader ??= await source.open(this.offset);
    let filled = 0;
    while (filled < count) {
      const read = await this.reader.read(scratch.subarray(filled, count));
      if (read === 0) break;
      filled += read;
    }
    this.offset += filled;
    if (filled === 0) return null;
    if (filled < count) throw truncated(this.offset, reading);
    return scratch.subarray(0, count);
  }

  /** Moves past the bytes of a member; its ends when they are to be kept. */
  async pass({ size, name }: Entry, keeps: boolean): Promise<MemberEnds | null> {
    const known = this.source.size;
    if (known !== null && this.offset + size > known) throw truncated(known, `member ${name}`);
    if (known !== null && size >= JUMP_FROM) {
      await this.close();
      this.offset += roundUp(size);
      return null;
    }
    let head = Buffer.alloc(0);
    let tail = Buffer.alloc(0);
    for (let left = size; left > 0; ) {
      const part = await this.take(Math.min(left, EXTRA_MAX), `member ${name}`);
      if (part === null) throw truncated(this.offset, `member ${name}`);
      if (keeps && head.length < HEAD) head = Buffer.concat([head, part.subarray(0, HEAD - head.length)]);
      if (keeps && left - part.length < TAIL) tail = Buffer.from(Buffer.concat([tail, part]).subarray(-TAIL));
      left -= part.length;
    }
    const padding = roundUp(size) - size;
    if (padding > 0) await this.take(padding, `member ${name}`);
    return keeps ? { head, tail } : null;
  }

  async close(): Promise<void> {
    const { reader } = this;
    this.reader = null;
    await reader?.close();
  }
}
