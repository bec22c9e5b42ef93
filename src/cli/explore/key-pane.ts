import type { KeyPage, KeyQuery } from '../../tools/explore/key-list.js';
import type { TimeMachine } from '../../tools/explore/time-machine.js';
import type { Key } from './keys.js';

/** A list of the keys of one database, of which a page is at hand. */
export class KeyPane {
  database = 0;
  /** Glob that keys must match; '*': all. */
  match = '*';
  page: KeyPage | null = null;
  /** Index in the page. */
  selected = 0;
  private listing = new AbortController();
  private listed: Promise<void> = Promise.resolve();

  /** `size`: lines there are for keys; `changed` is called when there is another page. */
  constructor(
    private readonly size: () => number,
    private readonly changed: () => void,
  ) {}

  /** The selected key; null: there is none. */
  get chosen(): Buffer | null {
    return this.page?.keys[this.selected]?.key ?? null;
  }

  /** Moves the selection; false for a key that means something else. */
  async answer(key: Key, machine: TimeMachine): Promise<boolean> {
    const keys = this.page?.keys ?? [];
    const first = keys[0]?.key ?? null;
    const last = keys.at(-1)?.key ?? null;
    if (key === 'up' || key === 'k') {
      if (this.selected > 0) this.selected--;
      else await this.list(machine, first, 'before', 'last');
    } else if (key === 'down' || key === 'j') {
      if (this.selected < keys.length - 1) this.selected++;
      else await this.list(machine, last, 'after', 'first');
    } else if (key === 'pageup') await this.list(machine, first, 'before', 'same');
    else if (key === 'pagedown') await this.list(machine, last, 'after', 'same');
    else if (key === 'home') await this.list(machine, null, 'at', 'first');
    else if (key === 'end') await this.list(machine, null, 'before', 'last');
    else return false;
    return true;
  }

  /** Goes to the next database that holds keys, or the one before; false when there is none. */
  async nextDatabase(machine: TimeMachine, direction: 1 | -1): Promise<boolean> {
    const indexes = machine.databases().map(({ index }) => index);
    const others = indexes.filter((index) =>
      direction === 1 ? index > this.database : index < this.database,
    );
    const next = direction === 1 ? others[0] : others.at(-1);
    if (next === undefined) return false;
    this.database = next;
    await this.list(machine, null, 'at', 'first');
    return true;
  }

  /** Ends a listing that is under way: the machine may move then. */
  async stop(): Promise<void> {
    this.listing.abort();
    await this.listed;
  }

  /** Lists the keys as they are now from the one that was at the top, while other things go on. */
  relist(machine: TimeMachine): void {
    const { page, chosen } = this;
    if (page === null) this.database = machine.databases()[0]?.index ?? 0;
    const isTop = page === null || page.rank === 0;
    const from = isTop ? null : (page.keys[0]?.key ?? null);
    this.listed = this.list(machine, from, 'at', chosen ?? 'same');
  }

  /** Lists keys and selects one of them: by its bytes, or by its place in the page. */
  async list(
    machine: TimeMachine,
    key: Buffer | null,
    from: KeyQuery['from'],
    select: Buffer | 'first' | 'last' | 'same',
  ): Promise<void> {
    this.listing.abort();
    this.listing = new AbortController();
    const { signal } = this.listing;
    const size = this.size();
    const query = { database: this.database, match: this.match, key, from, count: size };
    let page = await machine.page(query, signal);
    if (page !== null && page.keys.length < size && page.keys.length < page.total) {
      // Not full, though there are more: at an end of the list, which is then shown with what is next to it.
      const end = from === 'before' ? 'at' : 'before';
      page = await machine.page({ ...query, key: null, from: end }, signal);
    }
    if (page === null) return;
    this.selected = this.placeIn(page, key, from, select);
    this.page = page;
    this.changed();
  }

  private placeIn(
    { keys }: KeyPage,
    key: Buffer | null,
    from: KeyQuery['from'],
    select: Buffer | 'first' | 'last' | 'same',
  ): number {
    const last = Math.max(0, keys.length - 1);
    // Behind the last key, and in front of the first, there is nothing to go to.
    if (from === 'after' && key !== null && keys.at(-1)?.key.equals(key) === true) return last;
    if (from === 'before' && key !== null && keys[0]?.key.equals(key) === true) return 0;
    if (select === 'first') return 0;
    if (select === 'last') return last;
    const found = select === 'same' ? -1 : keys.findIndex((each) => each.key.equals(select));
    return found >= 0 ? found : Math.min(this.selected, last);
  }
}
