import { Int64Words, parseInt64 } from '../../kernels/decimal.js';

const HEADER = 8;
const words = new Int64Words();

/** Gathers 64-bit integers and lays them out as an intset: ascending, all of the width that the widest needs. */
export class IntsetBuilder {
  private highs: number[] = [];
  private lows: number[] = [];

  get count(): number {
    return this.lows.length;
  }

  reset(): void {
    this.highs.length = 0;
    this.lows.length = 0;
  }

  /** False, and nothing added, when the text is not a canonical 64-bit integer. */
  append(bytes: Buffer, start: number, end: number): boolean {
    if (!parseInt64(bytes, start, end, words)) return false;
    this.highs.push(words.high | 0);
    this.lows.push(words.low);
    return true;
  }

  /** The intset, owned by the caller; null when a value came twice, which no intset may hold. */
  finish(): Buffer | null {
    const { highs, lows } = this;
    const order = lows.map((_, i) => i);
    order.sort((a, b) => highs[a]! - highs[b]! || lows[a]! - lows[b]!);
    for (let i = 1; i < order.length; i++) {
      const [a, b] = [order[i - 1]!, order[i]!];
      if (highs[a] === highs[b] && lows[a] === lows[b]) return null;
    }
    const width = Math.max(...highs.map((high, i) => widthOf(high, lows[i]!)));
    const bytes = Buffer.allocUnsafe(HEADER + order.length * width);
    bytes.writeUInt32LE(width, 0);
    bytes.writeUInt32LE(order.length, 4);
    let at = HEADER;
    for (const i of order) {
      if (width === 2) bytes.writeInt16LE(lows[i]! | 0, at);
      else bytes.writeUInt32LE(lows[i]!, at);
      if (width === 8) bytes.writeInt32LE(highs[i]!, at + 4);
      at += width;
    }
    return bytes;
  }
}

/** Bytes that a value needs: `high` is signed, `low` unsigned. */
function widthOf(high: number, low: number): 2 | 4 | 8 {
  const value = low | 0;
  if (high !== value >> 31) return 8;
  return value >= -32768 && value < 32768 ? 2 : 4;
}
