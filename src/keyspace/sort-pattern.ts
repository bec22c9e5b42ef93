import type { ByteSlice } from '../bytes/slice.js';
import type { Database } from './database.js';
import { HASH_KIND, STRING } from './forms.js';
import { fieldValue, findField } from './hashes.js';

const STAR = 0x2a;
const HASH_SIGN = 0x23;

/**
 * A BY or GET pattern of SORT: `#` for the element itself, else the name of a key with the element in the place of the
 * first `*`, and after `->` a field of the hash under that name.
 */
export class SortPattern {
  readonly isElement: boolean;
  /** False: the same for every element, so that it finds nothing. */
  readonly varies: boolean;
  private readonly star: number;
  /** Where the key's name ends in the pattern, and where the field begins; equal when there is no field. */
  private readonly nameEnd: number;
  private readonly fieldStart: number;
  private key = Buffer.allocUnsafeSlow(64);

  /** Takes over the bytes. */
  constructor(private readonly pattern: Buffer) {
    this.star = pattern.indexOf(STAR);
    this.isElement = pattern.length === 1 && pattern[0] === HASH_SIGN;
    this.varies = this.star >= 0;
    const arrow = this.varies ? pattern.indexOf('->', this.star + 1) : -1;
    const hasField = arrow >= 0 && arrow + 2 < pattern.length;
    this.nameEnd = hasField ? arrow : pattern.length;
    this.fieldStart = hasField ? arrow + 2 : pattern.length;
  }

  /** Sets `into` to what the pattern finds for an element; false when it finds nothing. */
  lookup(db: Database, element: string, into: ByteSlice): boolean {
    if (!this.varies) return false;
    const { pattern, star, nameEnd, fieldStart } = this;
    const length = nameEnd - 1 + element.length;
    if (this.key.length < length) this.key = Buffer.allocUnsafeSlow(length * 2);
    pattern.copy(this.key, 0, 0, star);
    this.key.latin1Write(element, star);
    pattern.copy(this.key, star + element.length, star + 1, nameEnd);
    const entry = db.find(this.key, 0, length);
    if (entry < 0) return false;
    if (fieldStart === pattern.length) {
      if (db.kindAt(entry) !== STRING) return false;
      db.getString(entry, into);
      return true;
    }
    if (db.kindAt(entry) !== HASH_KIND) return false;
    const place = findField(db, entry, pattern, fieldStart, pattern.length);
    if (place < 0) return false;
    fieldValue(db, entry, place, into);
    return true;
  }
}
