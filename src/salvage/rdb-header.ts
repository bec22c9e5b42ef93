import { FormatError } from '../errors.js';
import { HEADER_BYTES } from '../rdb/constants.js';
import { Cursor } from '../rdb/cursor.js';
import { type Dialect, type DialectName, dialectOf } from '../rdb/dialect.js';
import { readHeader } from '../rdb/header.js';
import type { ChainFailure } from './rdb-chain.js';

/** The newest version that a damaged header is assumed to have stood for while the rest is read. */
const ASSUMED_VERSION = 12;

export interface FoundHeader {
  readonly dialect: Dialect;
  /** Null: intact. */
  readonly failure: ChainFailure | null;
}

/** Reads the header that stands in `bytes`, or assumes one. */
export function findHeader(bytes: Buffer, product: DialectName | null): FoundHeader {
  const cursor = new Cursor();
  cursor.bytes = bytes;
  cursor.end = Math.min(bytes.length, HEADER_BYTES);
  try {
    const header = readHeader(cursor, product);
    if (header !== null) return { dialect: header.dialect, failure: null };
    const detail = { reading: 'header', needed: HEADER_BYTES, available: bytes.length };
    return assumed(bytes, product, new FormatError('rdb/truncated', 0, detail));
  } catch (error) {
    if (error instanceof FormatError) return assumed(bytes, product, error);
    throw error;
  }
}

function assumed(bytes: Buffer, product: DialectName | null, error: FormatError): FoundHeader {
  const text = bytes.latin1Slice(0, Math.min(bytes.length, HEADER_BYTES));
  const valkey =
    product === 'valkey' || (product === null && alike(text, 'VALKEY080') > alike(text, 'REDIS00'));
  const dialect =
    (valkey ? dialectOf('valkey', 80) : dialectOf(product ?? 'redis', ASSUMED_VERSION)) ??
    dialectOf('redis', ASSUMED_VERSION)!;
  const { code, offset, detail } = error;
  const failure = { start: 0, offset, detail, trail: [], key: null, items: 0 };
  return { dialect, failure: { ...failure, code: code as ChainFailure['code'] } };
}

/** Characters in which a damaged header is like a whole one. */
function alike(text: string, whole: string): number {
  return [...whole].filter((character, i) => text[i] === character).length;
}

/** The RDB version that a server of this release writes; null for a release that is not known. */
export function versionOfRelease(field: string, release: string): number | null {
  const match = /^(\d+)\.(\d+)/.exec(release);
  if (match === null) return null;
  const minor = Number(match[1]) * 100 + Number(match[2]);
  const rows = field === 'valkey-ver' ? VALKEY_RELEASES : REDIS_RELEASES;
  return rows.find(([first]) => minor >= first)?.[1] ?? null;
}

/** The first release, major times hundred plus minor, that writes a version; newest first. */
const REDIS_RELEASES: readonly (readonly [number, number])[] = [
  [888, 12],
  [808, 14],
  [806, 13],
  [704, 12],
  [702, 11],
  [700, 10],
  [500, 9],
  [400, 8],
  [302, 7],
  [206, 6],
];
const VALKEY_RELEASES: readonly (readonly [number, number])[] = [
  [900, 80],
  [702, 11],
];

/** The nine bytes that open a file of a dialect. */
export function magicOfDialect({ name, version }: { name: DialectName; version: number }): string {
  return name === 'valkey' && version >= 80
    ? `VALKEY${String(version).padStart(3, '0')}`
    : `REDIS${String(version).padStart(4, '0')}`;
}
