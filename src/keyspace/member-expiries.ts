import type { Long } from '../bytes/int64.js';

/**
 * When single members of values go, as KeyDB keeps it: beside the value, by the member's name (one character per byte),
 * whether the value still has such a member or not. Keys are entries of one database.
 */
export class MemberExpiries {
  private readonly byEntry = new Map<number, Map<string, Long>>();

  get isEmpty(): boolean {
    return this.byEntry.size === 0;
  }

  /** The members of a key's value that go at some time, in milliseconds since the epoch; null: none does. */
  of(entry: number): ReadonlyMap<string, Long> | null {
    return this.byEntry.size === 0 ? null : (this.byEntry.get(entry) ?? null);
  }

  set(entry: number, member: string, expiresAtMs: Long): void {
    const members = this.byEntry.get(entry);
    if (members === undefined) this.byEntry.set(entry, new Map([[member, expiresAtMs]]));
    else members.set(member, expiresAtMs);
  }

  /** Lets a member stay. */
  delete(entry: number, member: string): void {
    const members = this.byEntry.get(entry);
    if (members?.delete(member) === true && members.size === 0) this.byEntry.delete(entry);
  }

  /** Forgets everything about a key's value. */
  forget(entry: number): void {
    if (this.byEntry.size > 0) this.byEntry.delete(entry);
  }

  /** Gives an entry of this or another database the same members as one of this. */
  copyTo(target: MemberExpiries, from: number, to: number): void {
    const members = this.of(from);
    if (members !== null) target.byEntry.set(to, new Map(members));
  }
}
