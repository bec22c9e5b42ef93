import type { ByteSlice } from '../../bytes/slice.js';
import { END } from '../../bytes/window.js';
import type { Keyspace } from '../../keyspace/keyspace.js';
import { Walk } from '../../keyspace/walk.js';
import type { ItemHandler } from '../../model/handler.js';
import { type KeyConditions, KeyFilter } from '../filter.js';
import { KeyGate, SizeGate } from '../gate.js';
import { Inventory } from '../inventory.js';
import { ItemRelay } from '../relay.js';

/** Who listens to a selection, and may ask it to pause. */
export type SelectionListener = ItemHandler & { readonly full?: boolean };

/** Keys that are meant to go somewhere, told as often as it takes, in an order that is the same every time. */
export interface Selection {
  /** What is in it, values aside. */
  readonly inventory: Inventory;
  /** Sources of the function libraries, when everything is meant. */
  functions(): readonly Buffer[];
  /** Tells it; whenever the handler is full, `drain` is awaited. @throws what `drain` throws; DamageError */
  tell(handler: SelectionListener, drain: () => Promise<void>): Promise<void>;
}

/** Keys of a keyspace that are meant to go somewhere, in an order that is the same every time. */
export class KeySelection implements Selection {
  /** True when it is everything, functions too; otherwise it is keys alone. */
  readonly whole: boolean;
  private readonly filter: KeyFilter;
  private counted: Inventory | null = null;

  constructor(
    private readonly keyspace: Keyspace,
    readonly conditions: KeyConditions,
    private readonly nowMs: number,
  ) {
    this.filter = new KeyFilter(conditions, nowMs);
    this.whole = this.filter.open && conditions.minSizeBytes === 0;
  }

  /** Starts telling it. The walk pauses when the handler is `full`. */
  walk(handler: SelectionListener): Walk {
    return new Walk(this.keyspace, this.whole ? handler : new Pausing(this.gate(handler), handler));
  }

  async tell(handler: SelectionListener, drain: () => Promise<void>): Promise<void> {
    const walk = this.walk(handler);
    while (walk.run() !== END) await drain();
  }

  get inventory(): Inventory {
    return this.survey();
  }

  private gate(handler: ItemHandler): ItemHandler {
    const { minSizeBytes } = this.conditions;
    const sized = minSizeBytes > 0 ? new SizeGate(handler, minSizeBytes) : handler;
    return this.filter.open ? sized : new KeyGate(sized, this.filter);
  }

  /** What is in it, values aside. Counted once. */
  survey(): Inventory {
    if (this.counted === null) {
      this.counted = new Inventory(this.nowMs);
      this.walk(this.counted).run();
    }
    return this.counted;
  }

  /** Sources of the function libraries, when everything is meant. */
  functions(): readonly Buffer[] {
    return this.whole ? [...this.keyspace.functions.values()] : [];
  }
}

/** Keys alone, pausing as the handler behind the gates does. */
class Pausing extends ItemRelay {
  constructor(
    target: ItemHandler,
    private readonly behind: { readonly full?: boolean },
  ) {
    super(target);
  }

  override functionLibrary(_code: ByteSlice): void {}

  get full(): boolean {
    return this.behind.full === true;
  }
}
