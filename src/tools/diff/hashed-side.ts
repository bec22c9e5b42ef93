import type { ByteSlice } from '../../bytes/slice.js';
import { ValueHasher } from '../../model/value-hash.js';
import { ItemRelay } from '../relay.js';
import type { Seeds } from './names.js';

/** Listens to a side of which values are hashed and function libraries kept. */
export abstract class HashedSide extends ItemRelay {
  /** Function libraries by their whole text. */
  readonly libraries = new Map<string, Buffer>();
  protected readonly hasher: ValueHasher;

  constructor(seeds: Seeds) {
    const hasher = new ValueHasher(seeds.a, seeds.b);
    super(hasher);
    this.hasher = hasher;
  }

  override functionLibrary(code: ByteSlice): void {
    const bytes = code.copy();
    this.libraries.set(bytes.latin1Slice(), bytes);
  }
}
