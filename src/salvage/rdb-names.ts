const FIRST_SLOTS = 1024;
/** An empty slot; no hash is stored as this. */
const EMPTY = 0;

/**
 * Remembers which names there are, by 64 bits of their hash: 8 bytes a name at most three quarters full, so 11 to 22.
 * Two names taken for one would cost a key; with a billion of them the chance is below three in a hundred.
 */
export class NameTable {
  private slots = new Uint32Array(FIRST_SLOTS * 2);
  private used = 0;

  get size(): number {
    return this.used;
  }

  /** Remembers a name; false when it is there already. */
  add(database: number, high: number, low: number): boolean {
    if (this.used * 4 >= (this.slots.length / 2) * 3) this.grow();
    const key = mixed(database, high);
    const slot = this.find(key, low);
    if (this.slots[slot] !== EMPTY) return false;
    this.slots[slot] = key;
    this.slots[slot + 1] = low;
    this.used++;
    return true;
  }

  has(database: number, high: number, low: number): boolean {
    return this.slots[this.find(mixed(database, high), low)] !== EMPTY;
  }

  /** Forgets a name, if it is there. */
  remove(database: number, high: number, low: number): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let hole = this.find(mixed(database, high), low);
    if (slots[hole] === EMPTY) return;
    this.used--;
    // What stands behind in the same run moves up, unless it stands between its own place and the hole.
    for (let at = (hole + 2) & mask; slots[at] !== EMPTY; at = (at + 2) & mask) {
      const home = this.homeOf(slots[at]!, slots[at + 1]!);
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      slots[hole] = slots[at]!;
      slots[hole + 1] = slots[at + 1]!;
      hole = at;
    }
    slots[hole] = EMPTY;
  }

  private homeOf(key: number, low: number): number {
    return ((low ^ Math.imul(key, 0x9e3779b1)) << 1) & (this.slots.length - 1);
  }

  private find(key: number, low: number): number {
    const { slots } = this;
    const mask = slots.length - 1;
    let slot = this.homeOf(key, low);
    while (slots[slot] !== EMPTY && (slots[slot] !== key || slots[slot + 1] !== low))
      slot = (slot + 2) & mask;
    return slot;
  }

  private grow(): void {
    const before = this.slots;
    this.slots = new Uint32Array(before.length * 2);
    for (let at = 0; at < before.length; at += 2) {
      if (before[at] === EMPTY) continue;
      const slot = this.find(before[at]!, before[at + 1]!);
      this.slots[slot] = before[at]!;
      this.slots[slot + 1] = before[at + 1]!;
    }
  }
}

/** Upper half of the hash with the database in it, never EMPTY. */
function mixed(database: number, high: number): number {
  const key = (high ^ Math.imul(database, 0x85ebca6b)) >>> 0;
  return key === EMPTY ? 1 : key;
}
