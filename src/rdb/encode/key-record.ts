import { GrowingBytes } from '../../bytes/growing-bytes.js';
import type { Long } from '../../bytes/int64.js';
import type { KeyHead } from '../../model/handler.js';
import {
  OPCODE_EXPIRETIME,
  OPCODE_EXPIRETIME_MS,
  OPCODE_FREQ,
  OPCODE_IDLE,
  OPCODE_KEY_METADATA,
} from '../constants.js';
import type { RdbTarget } from '../writer-target.js';
import type { RdbOutput } from './output.js';

const SECONDS_MAX = 0x7fffffff;

/** Where a value goes once its type is decided. */
export interface ValueStart {
  readonly output: RdbOutput;
  /** Writes the type number and whatever else stands in front of the value. */
  open(typeId: number): RdbOutput;
}

/**
 * What stands in front of a value in a file: attributes, type number, name. Kept until the type is decided, so that a value that
 * turns out empty leaves nothing.
 */
export class KeyRecord implements ValueStart {
  private readonly key = new GrowingBytes();
  private hasExpiry = false;
  private expiresAtMs: Long = 0;
  private idleSeconds = -1;
  private freq = -1;
  private metadata: Buffer | null = null;

  constructor(
    readonly output: RdbOutput,
    private readonly target: RdbTarget,
  ) {}

  hold(head: KeyHead): void {
    this.key.reset();
    this.key.put(head.key.bytes, head.key.start, head.key.end);
    this.hasExpiry = head.hasExpiry;
    this.expiresAtMs = head.expiresAtMs;
    this.idleSeconds = head.idleSeconds;
    this.freq = head.freq;
    this.metadata = this.target.keyMetadata ? head.metadata : null;
  }

  /** Writes what was held, with the type number of the value that follows. */
  open(typeId: number): RdbOutput {
    const { output } = this;
    if (this.hasExpiry) this.writeExpiry();
    if (this.target.evictionHints) {
      if (this.idleSeconds >= 0) {
        output.byte(OPCODE_IDLE);
        output.length(this.idleSeconds);
      }
      if (this.freq >= 0) {
        output.byte(OPCODE_FREQ);
        output.byte(this.freq);
      }
    }
    if (this.metadata !== null) {
      output.byte(OPCODE_KEY_METADATA);
      output.raw(this.metadata, 0, this.metadata.length);
    }
    output.byte(typeId);
    output.text(this.key.bytes, 0, this.key.end);
    return output;
  }

  private writeExpiry(): void {
    const { output } = this;
    if (this.target.millisecondExpiry) {
      output.byte(OPCODE_EXPIRETIME_MS);
      output.int64(this.expiresAtMs);
    } else {
      output.byte(OPCODE_EXPIRETIME);
      output.int32(wholeSeconds(this.expiresAtMs));
    }
  }
}

/** Rounded up, so that no key goes earlier than it should; as far as 32 bits reach. */
function wholeSeconds(ms: Long): number {
  return Math.max(-SECONDS_MAX, Math.min(SECONDS_MAX, Math.ceil(Number(ms) / 1000)));
}

/** Whether a time in milliseconds survives being held in whole seconds of 32 bits. */
export function fitsWholeSeconds(ms: Long): boolean {
  return wholeSeconds(ms) * 1000 === Number(ms);
}
