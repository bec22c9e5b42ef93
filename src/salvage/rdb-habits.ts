import type { RecordReader } from './rdb-record.js';

const SLOTS = 4096;
/** Fewer names than this tell nothing about the others. */
const NAMES_MIN = 8;

/** A beginning that fewer than one in so many names have says nothing. */
const RARE = 2000;

/** A name of more bytes than this that is no text stands out where names are text. */
const ABSURD_BYTES = 64;

/** Earliest and latest time of expiry that a record after damage is believed with: the years 1973 and 5138. */
const EXPIRY_MIN = 1e11;
const EXPIRY_MAX = 1e14;

/** Whether a record has a time of expiry, and one that a server may have been given. */
export function expiresSanely({ head }: RecordReader): boolean {
  return head.hasExpiry && head.expiresAtMs > EXPIRY_MIN && head.expiresAtMs < EXPIRY_MAX;
}

/** How the names of a file begin, so that a name can be told from bytes that happen to stand where one would. */
export class NameHabits {
  private readonly shapes = new Int32Array(SLOTS);
  private readonly seen = new Uint32Array(SLOTS);
  private used = 0;
  private names = 0;
  private familiar = 0;
  private texts = 0;

  /** `heeded` false: nothing is to be made of names. */
  constructor(private readonly heeded = true) {}

  add(shape: number, printable: boolean): void {
    const slot = slotOf(shape);
    if (this.seen[slot] === 0) {
      this.shapes[slot] = shape | 0;
      this.used++;
    } else if (this.shapes[slot] === (shape | 0)) {
      this.familiar++;
    }
    if (this.shapes[slot] === (shape | 0)) this.seen[slot]!++;
    this.names++;
    if (printable) this.texts++;
  }

  /** Names begin in few ways, so that one that begins in none of them stands out. */
  get informative(): boolean {
    return (
      this.heeded && this.names >= NAMES_MIN && this.familiar * 4 >= this.names * 3 && this.used * 4 <= SLOTS
    );
  }

  /** Nearly all names are text. */
  get textual(): boolean {
    return this.texts * 20 >= this.names * 19;
  }

  /** Whether names like this one are usual here; true as well where that cannot be told. */
  fits(reader: RecordReader): boolean {
    if (reader.nameBytes === 0) return false;
    if (this.informative) return this.knows(reader.shape);
    return reader.printable || !this.textual;
  }

  /** Whether a record is one of this file's for what its name is like, or for a time of expiry. */
  vouchesFor(reader: RecordReader): boolean {
    // Damage in the length of a name makes it longer, and it still begins as it did.
    if (this.informative && this.textual && !reader.printable) return false;
    return expiresSanely(reader) || (this.informative && this.knows(reader.shape));
  }

  /** Whether a name is long and no text in a file where nearly all are text: rather a part of a value than a name. */
  findsAbsurd(reader: RecordReader): boolean {
    return reader.nameBytes > ABSURD_BYTES && !reader.printable && this.informative && this.textual;
  }

  private knows(shape: number): boolean {
    // Any four bytes are the name of a number.
    if (shape >>> 31 === 1) return false;
    const slot = slotOf(shape);
    return this.shapes[slot] === (shape | 0) && this.seen[slot]! >= Math.max(1, this.names / RARE);
  }
}

function slotOf(shape: number): number {
  return (Math.imul(shape ^ (shape >>> 15), 0x9e3779b1) >>> 20) & (SLOTS - 1);
}
