import { randomBytes } from 'node:crypto';
import { HashLanes, hashRange } from '../../model/value-hash.js';

const CAPACITY_FIRST = 1024;
const LOAD_MAX = 0.7;

/**
 * Names that went by, as 96 bits each of a hash whose seeds are drawn anew every time: two of a thousand million names are
 * taken for each other once in 10^11 times. 12 bytes a place, of which at least a third are taken.
 */
export class SeenNames {
  private places = new Int32Array(3 * CAPACITY_FIRST);
  private count = 0;
  private readonly lanes = new HashLanes();
  private readonly more = new HashLanes();
  private readonly seeds = new Int32Array(new Uint8Array(randomBytes(16)).buffer);

  /** False when the name was there. */
  add(database: number, name: Buffer): boolean {
    const { lanes, more, seeds } = this;
    hashRange(name, 0, name.length, seeds[0]! ^ database, seeds[1]!, lanes);
    hashRange(name, 0, name.length, seeds[2]! + database, seeds[3]!, more);
    // All zero marks a free place.
    const third = more.a | 1;
    if (!this.put(this.places, lanes.a, lanes.b, third)) return false;
    if (++this.count * 3 > this.places.length * LOAD_MAX) this.grow();
    return true;
  }

  private put(places: Int32Array, a: number, b: number, c: number): boolean {
    const { length } = places;
    for (let at = ((a >>> 0) % (length / 3)) * 3; ; at = at + 3 === length ? 0 : at + 3) {
      if (places[at + 2] === 0) {
        places[at] = a;
        places[at + 1] = b;
        places[at + 2] = c;
        return true;
      }
      if (places[at] === a && places[at + 1] === b && places[at + 2] === c) return false;
    }
  }

  private grow(): void {
    const { places } = this;
    const larger = new Int32Array(places.length * 2);
    for (let at = 0; at < places.length; at += 3) {
      if (places[at + 2] !== 0) this.put(larger, places[at]!, places[at + 1]!, places[at + 2]!);
    }
    this.places = larger;
  }
}
