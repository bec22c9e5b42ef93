import { closeDescriptor } from './system.js';

/** More files than the largest set of a log has; a process may have a thousand open. */
const HELD_MAX = 48;

/**
 * Keeps a file open from when it was found to when it is read: a server that rewrites its log or saves removes or replaces
 * files by name, and what is open stays readable. It is closed when its owner is no longer reachable, or when too many
 * others have come since; whoever reads it by then keeps it to the end.
 */
export class HeldFile {
  private static readonly all: HeldFile[] = [];
  private static readonly owners = new FinalizationRegistry<HeldFile>((held) => held.letGo());

  private users = 0;
  private isHeld = true;

  private constructor(private readonly descriptor: number) {}

  /** Holds an open file for `owner`. */
  static for(owner: object, descriptor: number): HeldFile {
    const held = new HeldFile(descriptor);
    HeldFile.owners.register(owner, held);
    HeldFile.all.push(held);
    if (HeldFile.all.length > HELD_MAX) HeldFile.all[0]!.letGo();
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

  private letGo(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    HeldFile.all.splice(HeldFile.all.indexOf(this), 1);
    // Nobody waits for it, and there is nothing to lose in a file that was only read.
    if (this.users === 0) closeDescriptor(this.descriptor).catch(() => {});
  }
}
