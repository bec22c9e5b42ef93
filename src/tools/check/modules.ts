import { GrowingBytes } from '../../bytes/growing-bytes.js';
import type { ByteSlice } from '../../bytes/slice.js';
import type { KeyHead } from '../../model/handler.js';
import { decodeModuleValue, isKnownModule, type ModuleLimits } from '../../rdb/modules/decode.js';
import { type FindingList, placeOf } from './findings.js';

/** Larger values are not put together to be looked into, and none may become more than this. */
const BYTES_MAX = 1 << 25;
const LIMITS: ModuleLimits = { bytesMax: BYTES_MAX, itemsMax: 1 << 20 };

/** Looks into the values of modules whose layouts are known. One for all keys. */
export class ModuleSense {
  /** Values that could not be looked into: only their framing is checked. */
  opaque = 0;
  private readonly value = new GrowingBytes();
  private looking = false;

  constructor(private readonly findings: FindingList) {}

  begin(head: KeyHead): void {
    this.looking = head.opaque && isKnownModule(head.moduleName, head.moduleVersion);
    if (!this.looking && head.opaque) this.opaque++;
    this.value.reset();
  }

  next({ bytes, start, end }: ByteSlice): void {
    if (!this.looking) return;
    if (this.value.end + end - start <= BYTES_MAX) {
      this.value.put(bytes, start, end);
      return;
    }
    this.looking = false;
    this.opaque++;
  }

  end(head: KeyHead): void {
    if (!this.looking) return;
    this.looking = false;
    const { problem } = decodeModuleValue(this.value.bytes.subarray(0, this.value.end), LIMITS);
    if (problem === 'too-large') this.opaque++;
    else if (problem !== null) {
      this.findings.add('rdb/odd-module-value', head.offset, { module: head.moduleName }, placeOf(head));
    }
  }
}
