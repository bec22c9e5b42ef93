/** The nearest rows seen so far, at most so many, by ascending distance. */
export class Nearest {
  count = 0;
  readonly rows: Int32Array;
  readonly distances: Float64Array;
  /** 1 for a row whose links were followed. */
  private readonly followed: Uint8Array;
  private first = 0;
  private room = 0;

  constructor(roomMax: number) {
    this.rows = new Int32Array(roomMax);
    this.distances = new Float64Array(roomMax);
    this.followed = new Uint8Array(roomMax);
  }

  /** Forgets what was seen; keeps so many from now on. */
  begin(room: number): void {
    this.count = 0;
    this.first = 0;
    this.room = room;
  }

  offer(row: number, distance: number): void {
    const { rows, distances, followed } = this;
    if (this.count === this.room && !(distance < distances[this.count - 1]!)) return;
    const end = Math.min(this.count, this.room - 1);
    let from = 0;
    for (let to = end; from < to; ) {
      const middle = (from + to) >>> 1;
      if (distances[middle]! <= distance) from = middle + 1;
      else to = middle;
    }
    rows.copyWithin(from + 1, from, end);
    distances.copyWithin(from + 1, from, end);
    followed.copyWithin(from + 1, from, end);
    rows[from] = row;
    distances[from] = distance;
    followed[from] = 0;
    this.count = end + 1;
    if (from < this.first) this.first = from;
  }

  /** The nearest row whose links were not followed yet, now followed; -1 when there is none. */
  follow(): number {
    const { followed } = this;
    while (this.first < this.count && followed[this.first] === 1) this.first++;
    if (this.first === this.count) return -1;
    followed[this.first] = 1;
    return this.rows[this.first]!;
  }
}
