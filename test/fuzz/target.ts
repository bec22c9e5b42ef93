import type { Random } from '../support/random.js';

/** How the inputs of a target are made up of parts that can be moved about. */
export interface Grammar {
  /** Cuts an input into records, lines or arguments; null when it cannot. */
  split(bytes: Buffer): Buffer[] | null;
  join(parts: readonly Buffer[]): Buffer;
  /** Changes one part by what it is made of; missing: parts are bytes. */
  change?(part: Buffer, random: Random, tokens: readonly Buffer[]): Buffer;
}

/** A decoder under test, and how inputs for it are made. */
export interface Target {
  readonly name: string;
  /** Inputs to begin with. */
  seeds(): Buffer[];
  /** What the format is made of: names, numbers, opcodes. */
  readonly tokens: readonly Buffer[];
  readonly grammar?: Grammar;
  /** Bytes in front that say how the rest is to be taken; no part of the format. */
  readonly modeBytes?: number;
  /** Inputs are not made longer than this. */
  readonly bytesMax?: number;
  /** Puts lengths and checksums right that would keep a changed input from being looked into. Borrowed, may be changed. */
  repair?(bytes: Buffer): Buffer;
  /** Share of the time that it gets; 1 unless given. */
  readonly weight?: number;
  /**
   * Runs one input, which it must not change.
   * @throws what the decoder throws; anything but errors of ours is a finding, as is `Broken`
   */
  run(bytes: Buffer): void | Promise<void>;
}

/** Something holds no longer that must hold for every input. */
export class Broken extends Error {
  override readonly name = 'Broken';

  constructor(
    /** What holds otherwise, the same for all inputs. */
    readonly rule: string,
    detail: unknown = '',
  ) {
    super(
      `${rule}${detail === '' ? '' : `: ${typeof detail === 'string' ? detail : JSON.stringify(detail)}`}`,
    );
  }
}
