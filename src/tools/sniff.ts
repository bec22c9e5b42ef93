import { InputError } from '../errors.js';

/** What a file is, by its first bytes. 'preamble': an RDB that says of itself that a log follows it. */
export type FileForm = 'rdb' | 'preamble' | 'aof' | 'manifest' | 'ndjson';

/** Bytes from the start that `sniff` looks at. */
export const SNIFF_BYTES = 4096;

/** Magic bytes of packings that rekindle doesn't take off, and the command that does so. */
type Packed = readonly [name: string, magic: string, unpack: string];
const PACKED: readonly Packed[] = [
  ['lz4 legacy frames', '\x02\x21\x4c\x18', 'lz4 -dc'],
  ['xz', '\xfd7zXZ', 'xz -dc'],
  ['bzip2', 'BZh', 'bzip2 -dc'],
  ['zip', 'PK\x03\x04', 'unzip -p'],
];

/**
 * Tells a file by its content. The name decides only what content cannot: an empty file, or one so damaged that its
 * first bytes say nothing, is what its ending says.
 *
 * @throws InputError when it is none of the known forms
 */
export function sniff(head: Buffer, name: string): FileForm {
  const text = head.latin1Slice(0, Math.min(head.length, SNIFF_BYTES));
  if (/^(REDIS\d|VALKEY\d)/.test(text)) return saysLogFollows(text) ? 'preamble' : 'rdb';
  const firstLine = text.replace(/^(#[^\n]*\n)+/, '');
  if (/^file[ \t]/i.test(firstLine)) return 'manifest';
  if (/^\*\d/.test(firstLine) || /^#TS:/.test(text)) return 'aof';
  if (/^\s*\{\s*"rekindle"\s*:/.test(text)) return 'ndjson';
  const packed = PACKED.find(([, magic]) => text.startsWith(magic));
  const named = packed === undefined ? formByName(name) : null;
  if (named !== null) return named;
  throw unknownForm(text, name, packed);
}

/** `aof-preamble` (4.0 to 6.2) and `aof-base` (7.0 on) are 1 in an RDB that opens a log; before the first key. */
function saysLogFollows(text: string): boolean {
  return text.includes('\x0caof-preamble\xc0\x01') || text.includes('\x08aof-base\xc0\x01');
}

function formByName(name: string): FileForm | null {
  if (/\.rdb$/i.test(name)) return 'rdb';
  if (/\.aof$/i.test(name)) return 'aof';
  return /\.manifest$/i.test(name) ? 'manifest' : null;
}

function unknownForm(text: string, name: string, packed: Packed | undefined): InputError {
  if (text.length === 0) {
    return new InputError(
      'input/empty',
      name,
      'is empty, and its name does not say what it should be (.rdb, .aof)',
      'look for another copy; a server writes dump.rdb under a temporary name (temp-PID.rdb) first',
    );
  }
  if (packed !== undefined) {
    const [format, , unpack] = packed;
    return new InputError(
      'input/packed',
      name,
      `is compressed (${format})`,
      `unpack it first: ${unpack} ${name} | rekindle … -`,
    );
  }
  const start = [...Buffer.from(text.slice(0, 8), 'latin1')].map((byte) =>
    byte.toString(16).padStart(2, '0'),
  );
  return new InputError(
    'input/unknown-format',
    name,
    `is no known format: expected REDIS or VALKEY and digits (RDB), *N or #TS: (AOF) or a manifest at offset 0 (0x0)`,
    'give an RDB, an AOF, its manifest or the data directory; if its start is damaged, name the copy .rdb or .aof',
    `, found ${start.join(' ')}${/^[\x20-\x7e\s]+$/.test(text.slice(0, 64)) ? `, text: '${text.slice(0, 24).replace(/\s+/g, ' ').trim()}'` : ''}`,
  );
}
