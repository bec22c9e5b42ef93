import type { Long } from '../bytes/int64.js';
import { normalLong } from '../bytes/int64.js';
import type { FindingCode } from '../model/finding.js';
import { needsQuotes, quote, splitWords } from '../model/words.js';

/** `b` base, `i` increment, `h` history: the letters of the file. */
export type ManifestType = 'b' | 'i' | 'h';

/** One file named by a manifest. */
export interface ManifestEntry {
  /** One character per byte. Never a path. */
  readonly name: string;
  readonly seq: Long;
  readonly type: ManifestType;
  /** Replication offsets, written by Redis 8.0 and later; null: not given. */
  readonly startOffset: Long | null;
  readonly endOffset: Long | null;
  /** Counted from 1, as the servers count in their messages. */
  readonly line: number;
  /** Byte offset of the line in the manifest. */
  readonly offset: number;
}

/** Something for which servers refuse the manifest, or would if nothing before it had stopped them. */
export interface ManifestProblem {
  readonly code: FindingCode;
  readonly line: number;
  readonly offset: number;
  /** What the server prints. */
  readonly message: string;
  /** The line, trimmed as the server prints it; one character per byte. */
  readonly text: string;
}

export interface Manifest {
  readonly base: ManifestEntry | null;
  readonly increments: readonly ManifestEntry[];
  readonly history: readonly ManifestEntry[];
  /** Servers stop at the first; lines without a problem are told all the same. */
  readonly problems: readonly ManifestProblem[];
  /** How many it was read of: somebody may write it meanwhile. */
  readonly bytes: number;
}

/** The servers' read buffer: a line may have this many bytes, its line feed included. */
const LINE_MAX = 1024;

/** Reads a manifest as servers from 7.0 on do. Never throws: what a server would refuse is in `problems`. */
export function parseManifest(bytes: Buffer): Manifest {
  const parser = new Parser(bytes.length);
  let offset = 0;
  let line = 0;
  while (offset < bytes.length) {
    const longest = Math.min(bytes.length, offset + LINE_MAX);
    // No further: to look for the end of a file without line feeds at every turn takes the square of its length.
    const feed = bytes.subarray(offset, longest).indexOf(LF);
    const stop = feed < 0 ? longest : offset + feed + 1;
    parser.line(bytes.latin1Slice(offset, stop), ++line, offset);
    offset = stop;
  }
  if (line === 0) parser.problem('manifest/empty', 'Found an empty AOF manifest', 0, 0, '');
  return parser;
}

/** A manifest byte for byte as a server writes it: base, history, increments. */
export function formatManifest(manifest: {
  readonly base: ManifestLine | null;
  readonly increments: readonly ManifestLine[];
  readonly history?: readonly ManifestLine[];
}): Buffer {
  const base = manifest.base === null ? [] : [manifest.base];
  const lines = [...base, ...(manifest.history ?? []), ...manifest.increments].map(formatLine);
  return Buffer.from(lines.join(''), 'latin1');
}

/** What a manifest line says, wherever it comes from. */
export type ManifestLine = Pick<ManifestEntry, 'name' | 'seq' | 'type'> &
  Partial<Pick<ManifestEntry, 'startOffset' | 'endOffset'>>;

function formatLine(entry: ManifestLine): string {
  const name = needsQuotes(entry.name) ? quote(entry.name) : entry.name;
  const start = entry.startOffset ?? null;
  const end = entry.endOffset ?? null;
  const offsets = (start === null ? '' : ` startoffset ${start}`) + (end === null ? '' : ` endoffset ${end}`);
  return `file ${name} seq ${entry.seq} type ${entry.type}${offsets}\n`;
}

const LF = 10;

class Parser implements Manifest {
  base: ManifestEntry | null = null;
  readonly increments: ManifestEntry[] = [];
  readonly history: ManifestEntry[] = [];
  readonly problems: ManifestProblem[] = [];
  private lastSeq: Long = 0;

  constructor(readonly bytes: number) {}

  problem(code: FindingCode, message: string, line: number, offset: number, text: string): void {
    this.problems.push({ code, message, line, offset, text });
  }

  line(raw: string, line: number, offset: number): void {
    if (raw.startsWith('#')) return;
    // The server's strings end at a zero byte, the line feed behind it unseen.
    const seen = raw.split('\0', 1)[0]!;
    if (!seen.includes('\n')) {
      const message = 'The AOF manifest file contains too long line';
      this.problem('manifest/line-too-long', message, line, offset, '');
      return;
    }
    const text = seen.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
    const fault = this.take(text, line, offset);
    if (fault !== null) this.problem(fault[0], fault[1], line, offset, text);
  }

  /** Adds the file a line names; what is wrong with it otherwise. */
  private take(text: string, line: number, offset: number): readonly [FindingCode, string] | null {
    const words = text === '' ? null : splitWords(text);
    if (words === null || words.length < 6 || words.length % 2 !== 0) return INVALID;
    const fields = readFields(words);
    if (fields === null) return ['manifest/path-in-name', "File can't be a path, just a filename"];
    const { name, seq, type, startOffset, endOffset } = fields;
    if (name === null || seq === 0 || type === '') return INVALID;
    if (type !== 'b' && type !== 'i' && type !== 'h')
      return ['manifest/unknown-type', 'Unknown AOF file type'];
    const entry: ManifestEntry = { name, seq, type, startOffset, endOffset, line, offset };
    if (type === 'h') {
      this.history.push(entry);
    } else if (type === 'b') {
      if (this.base !== null) return ['manifest/duplicate-base', 'Found duplicate base file information'];
      this.base = entry;
    } else {
      if (seq <= this.lastSeq) return ['manifest/bad-order', 'Found a non-monotonic sequence number'];
      this.lastSeq = seq;
      this.increments.push(entry);
    }
    return null;
  }
}

const INVALID = ['manifest/bad-line', 'Invalid AOF manifest file format'] as const;

interface Fields {
  name: string | null;
  seq: Long;
  type: string;
  startOffset: Long | null;
  endOffset: Long | null;
}

/** Keys in any case and order, unknown ones skipped, the last of a repeated one counts. Null: the name is a path. */
function readFields(words: readonly string[]): Fields | null {
  const fields: Fields = { name: null, seq: 0, type: '', startOffset: null, endOffset: null };
  for (let i = 0; i < words.length; i += 2) {
    const value = words[i + 1]!.split('\0', 1)[0]!;
    switch (words[i]!.toLowerCase()) {
      case 'file':
        // `.` and `..` pass the server's test and name a directory: no server could load them.
        if (/[/\\]/.test(value) || value === '.' || value === '..') return null;
        fields.name = value;
        break;
      case 'seq':
        fields.seq = integerOf(value);
        break;
      case 'type':
        fields.type = value.slice(0, 1);
        break;
      case 'startoffset':
        fields.startOffset = integerOf(value);
        break;
      case 'endoffset':
        fields.endOffset = integerOf(value);
        break;
    }
  }
  return fields;
}

/** `atoll`: leading blanks and a sign, then digits as far as they go; 0 without any; held at the ends of its range. */
function integerOf(text: string): Long {
  const match = /^[ \t\n\v\f\r]*([+-]?)(\d+)/.exec(text);
  if (match === null) return 0;
  const size = BigInt(match[2]!.slice(0, 400));
  const value = match[1] === '-' ? -size : size;
  return normalLong(value > MAX ? MAX : value < MIN ? MIN : value);
}

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);
