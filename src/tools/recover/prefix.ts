import type { ByteReader, ByteSource } from '../../bytes/source.js';

/** The first bytes of a source, as if it ended there. */
export class PrefixSource implements ByteSource {
  readonly label: string;

  constructor(
    private readonly source: ByteSource,
    readonly size: number,
  ) {
    this.label = source.label;
  }

  async open(start = 0): Promise<ByteReader> {
    const reader = await this.source.open(start);
    let left = Math.max(0, this.size - start);
    return {
      read: async (into) => {
        if (left === 0) return 0;
        const count = await reader.read(into.length > left ? into.subarray(0, left) : into);
        left -= count;
        return count;
      },
      close: () => reader.close(),
    };
  }
}
