import { closeDescriptor } from './system.js';

/** More files than the largest set of a log has; a process may have a thousand open. */
const HELD_MAX = 48;

/**
 * Keeps a file open from when it was found to when it is read: a server that rewrites its log or saves removes or replaces
 * files by name, and what is open stays readable. It is closed when its owner is no longer reachable or says so, or when too
 * many others have come since; whoever reads it by then keeps it to the end.
 */
export class HeldFile {
  private static readonly all: HeldFile[] = [];
  private static readonly owners = new FinalizationRegistry<HeldFile>((held) => {
    // Nobody waits for it, and there is nothing to lose in a file that was only read.
    held.letGo().catch(() => {});
  });

  private users = 0;
  private isHeld = true;

  private constructor(private readonly descriptor: number) {}

  /** Holds an open file for `owner`. */
  static for(owner: object, descriptor: number): HeldFile {
    const held = HeldFile.nameless(owner, descriptor);
    HeldFile.all.push(held);
    if (HeldFile.all.length > HELD_MAX) HeldFile.all[0]!.letGo().catch(() => {});
    return held;
  }

  /** The same for a file that could not be opened again: however many there are, it is held. */
  static nameless(owner: object, descriptor: number): HeldFile {
    const held = new HeldFile(descriptor);
    HeldFile.owners.register(owner, held);
    return held;
  }

  /** The descriptor, to be given back; null when it is held no longer. */
  take(): number | null {
    if (!this.isHeld) return null;
    this.users++;
    return this.descriptor;
  }

  async giveBack(): Promise<void> {
    this.users--;
    if (!this.isHeld && this.users === 0) await closeDescriptor(this.descriptor);
  }

  /** Holds it no longer. */
  async letGo(): Promise<void> {
    if (!this.isHeld) return;
    this.isHeld = false;
    const place = HeldFile.all.indexOf(this);
    if (place >= 0) HeldFile.all.splice(place, 1);
    if (this.users === 0) await closeDescriptor(this.descriptor);
  }
}
