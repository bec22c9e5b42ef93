import { randomBytes } from 'node:crypto';
import type { RecordKernel } from '../../kernels/records.js';
import type { KeyHead } from '../../model/handler.js';
import type { ValueKind } from '../../model/kind.js';
import { HashLanes, hashRange } from '../../model/value-hash.js';

/** Kinds by the numbers that tables and entries keep. */
export const KINDS: readonly ValueKind[] = [
  ...(['string', 'list', 'set', 'zset', 'hash', 'stream', 'module', 'array', 'gcra', 'cron'] as const),
];

/** Seeds of one comparison, drawn anew for each: nobody can make names or values that are taken for each other. */
export interface Seeds {
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

export function randomSeeds(): Seeds {
  const bytes = randomBytes(12);
  return { a: bytes.readInt32LE(0), b: bytes.readInt32LE(4), c: bytes.readInt32LE(8) };
}

/** Hashes the name of the key at hand, together with its database. */
export class NameFinder {
  readonly lanes = new HashLanes();
  third = 0;
  private readonly extra = new HashLanes();

  /** `kernel` null: where WebAssembly is not to be had. */
  constructor(
    private readonly seeds: Seeds,
    private readonly kernel: RecordKernel | null,
  ) {}

  take({ database, key }: KeyHead): void {
    const { seeds, lanes, extra, kernel } = this;
    const { bytes, start, end } = key;
    if (kernel !== null) {
      kernel.hashName(database, bytes, start, end);
      lanes.a = kernel.name[0]!;
      lanes.b = kernel.name[1]!;
      this.third = kernel.name[2]!;
      return;
    }
    const mixed = Math.imul(database + 1, 0x9e3779b1);
    hashRange(bytes, start, end, seeds.a ^ mixed, seeds.b, lanes);
    hashRange(bytes, start, end, seeds.c ^ mixed, seeds.a, extra);
    this.third = extra.a;
  }
}
