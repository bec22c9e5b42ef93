import type { ByteTarget } from '../bytes/target.js';
import type { Session } from './session.js';

/** Standard output as a place for a whole dataset: what went in cannot be taken back. */
export class StdoutTarget implements ByteTarget {
  readonly label = '<stdout>';
  size = 0;

  constructor(private readonly session: Session) {}

  write(bytes: Uint8Array): void {
    this.size += bytes.length;
    // A stream keeps what it is given until it is written, and the caller's bytes change before that.
    this.session.printBytes(Uint8Array.from(bytes));
  }

  get full(): boolean {
    return this.session.full;
  }

  drain(): Promise<void> {
    return this.session.drain();
  }

  publish(): Promise<void> {
    return this.session.drain();
  }

  discard(): Promise<void> {
    return Promise.resolve();
  }
}
