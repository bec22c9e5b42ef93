import { LENGTH_64 } from './constants.js';
import { type Cursor, SHORT } from './cursor.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const NAME_LENGTH = 9;
/** First byte and 64 bits: the only form in which an id of nine letters can stand. */
export const MODULE_ID_BYTES = 9;
/** Bits of the id that number the encoding of the values. */
const VERSION_BITS = 10n;

/** What the id in front of a module's value says. */
export interface ModuleId {
  /** Nine characters; '' when the id is none of that kind. */
  readonly name: string;
  /** Of the encoding, as the module counts it. */
  readonly version: number;
}

/** Of values that name no module. */
export const NO_ID: ModuleId = { name: '', version: 0 };

/** The id that `bytes` start with, which are at least `MODULE_ID_BYTES` long. */
export function moduleIdOf(bytes: Buffer, at = 0): ModuleId {
  if (bytes[at] !== LENGTH_64) return NO_ID;
  const id = bytes.readBigUInt64BE(at + 1);
  let letters = id >> VERSION_BITS;
  let name = '';
  for (let i = 0; i < NAME_LENGTH; i++) {
    name = ALPHABET[Number(letters & 63n)]! + name;
    letters >>= 6n;
  }
  return { name, version: Number(id & 0x3ffn) };
}

/** The same for a value that starts at a position; null when it is not all here. @throws FormatError */
export function moduleIdAt(cursor: Cursor, at: number): ModuleId | null {
  const end = cursor.length(at);
  if (end === SHORT) return null;
  return end - at === MODULE_ID_BYTES ? moduleIdOf(cursor.bytes, at) : NO_ID;
}
