import { CommandPattern } from '../../resp/pattern.js';
import type { Comparison } from '../../tools/explore/compare.js';
import type { KeyView } from '../../tools/explore/key-list.js';
import type { LogRow } from '../../tools/explore/rows.js';
import type { TimeMachine } from '../../tools/explore/time-machine.js';
import { count } from '../render/numbers.js';
import type { Show } from '../render/value.js';
import { valueLinesOf } from './draw.js';
import { positionOf } from './goal.js';
import { HELP } from './help.js';
import { KeyPane } from './key-pane.js';
import type { Key } from './keys.js';
import { moved, partsOf, type Scene } from './scene.js';

/** What an explorer needs to know of where it is shown. */
export interface Surface {
  /** Lines of the screen. */
  readonly rows: number;
  /** Something changed: draw when there is time. */
  changed(): void;
}

export interface ExplorerOptions {
  readonly title: string;
  readonly show: Show;
  /** The command that brings a position back. */
  readonly commandFor: (position: number) => string;
}

/** How an explorer was left. */
export type Farewell = 'quit' | 'interrupt';

type Prompt = { readonly label: string; text: string; readonly done: (text: string) => Promise<void> };

/** Keys that wait for their turn at most, and of one and the same: who holds a key down wants to stop with it. */
const PENDING_MAX = 1024;
const REPEATED_MAX = 2;
const SHIFT = 16;

/** Answers keys by moving a time machine, and says what is to be seen. */
export class Explorer {
  private view: Scene['view'] = 'main';
  private viewBefore: Scene['view'] = 'main';
  private focus: Scene['focus'] = 'log';
  private rows: LogRow[] = [];
  private readonly keys: KeyPane;
  private opened: Scene['opened'] = null;
  private value: KeyView | null = null;
  private scroll = 0;
  private shift = 0;
  private markA: number | null = null;
  private markB: number | null = null;
  private comparison: Comparison | null = null;
  private diffSelected = 0;
  private prompt: Prompt | null = null;
  private message = '';
  private busy: Scene['busy'] = null;
  private pattern: CommandPattern | null = null;
  private readonly pending: Key[] = [];
  private working = false;
  private ender = new AbortController();
  private farewell: ((how: Farewell) => void) | null = null;

  /** Settles when the user leaves, or when something fails. */
  readonly left: Promise<Farewell>;
  private fail: (error: unknown) => void = () => {};

  constructor(
    private readonly machine: TimeMachine,
    private readonly surface: Surface,
    private readonly options: ExplorerOptions,
  ) {
    this.keys = new KeyPane(
      () => partsOf(surface.rows).keys,
      () => surface.changed(),
    );
    this.left = new Promise((resolve, reject) => {
      this.farewell = resolve;
      this.fail = reject;
    });
  }

  get scene(): Scene {
    const { machine, options, prompt } = this;
    const { damage } = machine.index;
    const { title, show } = options;
    const { view, focus, rows, opened, value, scroll, shift } = this;
    const { database, match, page, selected } = this.keys;
    const { markA, markB, comparison, diffSelected, message, busy } = this;
    return {
      ...{ title, show, view, focus, rows, database, match, page, selected, opened, value, scroll, shift },
      ...{ markA, markB, comparison, diffSelected, message, busy },
      position: machine.position,
      length: machine.length,
      timeMs: machine.timeMs,
      damage: damage === null ? '' : `${damage.code} at offset ${damage.where.offset}`,
      keysInAll: machine.keys,
      databases: machine.databases(),
      prompt: prompt === null ? null : { label: prompt.label, text: prompt.text },
    };
  }

  /** Shows the end of the log first: what a server would load. */
  start(): void {
    void this.work(() => this.go(this.machine.length));
  }

  /** Ends what is under way, for good. */
  stop(): void {
    this.ender.abort();
    void this.keys.stop();
  }

  /** Takes a key: at once when it ends something, else in turn. */
  press(key: Key): void {
    if (this.working && (key === 'escape' || key === 'interrupt')) {
      this.pending.length = 0;
      this.ender.abort();
      if (key === 'interrupt') this.farewell?.('interrupt');
    } else if (this.working) {
      const isHeld =
        key.length > 1 && this.pending.slice(-REPEATED_MAX).filter((each) => each === key).length;
      if (this.pending.length < PENDING_MAX && isHeld !== REPEATED_MAX) this.pending.push(key);
    } else {
      void this.work(() => this.answer(key));
    }
  }

  /** The lines of the screen are more or less now. */
  resized(): void {
    if (this.working) return;
    void this.work(() => this.refresh());
  }

  private async work(body: () => Promise<void>): Promise<void> {
    this.working = true;
    try {
      await body();
      for (let key = this.pending.shift(); key !== undefined; key = this.pending.shift())
        await this.answer(key);
    } catch (error) {
      this.fail(error);
    } finally {
      this.working = false;
      this.surface.changed();
    }
  }

  private async answer(key: Key): Promise<void> {
    this.message = '';
    if (key === 'interrupt') this.farewell?.('interrupt');
    else if (this.prompt !== null) await this.type(this.prompt, key);
    else if (!(await this.answerAnywhere(key))) {
      if (this.view === 'value') this.answerValue(key);
      else if (this.view === 'diff') this.answerDiff(key);
      else if (this.view === 'help') this.scrollBy(key, HELP.length);
      else if (this.focus === 'keys') await this.answerKeys(key);
      else await this.answerLog(key);
    }
    this.surface.changed();
  }

  /** Keys that mean the same everywhere; false for the others. */
  private async answerAnywhere(key: Key): Promise<boolean> {
    const { machine } = this;
    if (key === 'q') this.farewell?.('quit');
    else if (key === '?') this.show(this.view === 'help' ? this.viewBefore : 'help');
    else if (key === 'y') this.message = this.options.commandFor(machine.position);
    else if (key === 'left') await this.step(-1);
    else if (key === 'right') await this.step(1);
    else if (key === 'g' || key === ':') {
      this.ask('go to (number, time, file:offset)', (text) => this.goTo(text));
    } else if (key === '/') this.ask('search (FLUSHALL, DEL user:*)', (text) => this.search(text));
    else if (key === 'n') await this.find(1);
    else if (key === 'N') await this.find(-1);
    else if (key === 'd') await this.danger(1);
    else if (key === 'D') await this.danger(-1);
    else if (key === 'a') this.mark('A');
    else if (key === 'b') this.mark('B');
    else if (key === '=') await this.diff();
    else if (key === 'escape') this.back();
    else return false;
    return true;
  }

  private async answerLog(key: Key): Promise<void> {
    const height = partsOf(this.surface.rows).log;
    if (key === 'up' || key === 'k') await this.step(-1);
    else if (key === 'down' || key === 'j') await this.step(1);
    else if (key === 'pageup') await this.step(-height);
    else if (key === 'pagedown') await this.step(height);
    else if (key === 'home') await this.go(0);
    else if (key === 'end') await this.go(this.machine.length);
    else if (key === 'tab' || key === 'backtab') this.focus = 'keys';
    else if (key === 'enter') this.focus = 'keys';
    else await this.chooseKeys(key);
  }

  private async answerKeys(key: Key): Promise<void> {
    const { keys, machine } = this;
    if (key === 'tab' || key === 'backtab') this.focus = 'log';
    else if (key === 'enter') this.open(keys.chosen, keys.database);
    else if (!(await keys.answer(key, machine))) await this.chooseKeys(key);
  }

  /** Keys that choose which keys to list. */
  private async chooseKeys(key: Key): Promise<void> {
    if (key === 'f') {
      this.ask('keys that match (*: all)', async (text) => {
        this.keys.match = text === '' ? '*' : Buffer.from(text, 'utf8').latin1Slice();
        await this.keys.list(this.machine, null, 'at', 'first');
      });
    } else if (key === '<' || key === '>') {
      const there = await this.keys.nextDatabase(this.machine, key === '>' ? 1 : -1);
      if (!there) this.message = 'no other database in that direction';
    }
  }

  private answerValue(key: Key): void {
    if (key === '<') this.shift = Math.max(0, this.shift - SHIFT);
    else if (key === '>') this.shift += SHIFT;
    else this.scrollBy(key, valueLinesOf(this.scene)?.length ?? 0);
  }

  private answerDiff(key: Key): void {
    const differences = this.comparison?.differences ?? [];
    if (key === 'enter') {
      const chosen = differences[this.diffSelected];
      if (chosen !== undefined) this.open(chosen.key, chosen.database);
      return;
    }
    const page = partsOf(this.surface.rows).body - 1;
    this.diffSelected = moved(this.diffSelected, key, page, differences.length - 1);
  }

  private scrollBy(key: Key, lines: number): void {
    const page = partsOf(this.surface.rows).body - 1;
    this.scroll = moved(this.scroll, key, page, Math.max(0, lines - page));
  }

  private show(view: Scene['view']): void {
    if (view === 'help') this.viewBefore = this.view;
    this.view = view;
    this.scroll = 0;
  }

  private back(): void {
    if (this.view === 'help') this.show(this.viewBefore);
    else if (this.view === 'value' && this.comparison !== null && this.viewBefore === 'diff')
      this.view = 'diff';
    else if (this.view !== 'main') this.view = 'main';
    else this.focus = 'log';
  }

  private open(key: Buffer | null, database: number): void {
    if (key === null) return;
    this.opened = { database, key };
    this.viewBefore = this.view;
    this.view = 'value';
    this.scroll = this.shift = 0;
    this.value = this.machine.value(database, key);
  }

  // Prompts

  private ask(label: string, done: Prompt['done']): void {
    this.prompt = { label, text: '', done };
  }

  private async type(prompt: Prompt, key: Key): Promise<void> {
    if (key === 'escape') this.prompt = null;
    else if (key === 'backspace') prompt.text = [...prompt.text].slice(0, -1).join('');
    else if (key === 'clear') prompt.text = '';
    else if ([...key].length === 1) prompt.text += key;
    else if (key === 'enter') {
      this.prompt = null;
      try {
        await prompt.done(prompt.text.trim());
      } catch (error) {
        if ((error as Error).name !== 'UsageError') throw error;
        this.message = (error as Error).message;
      }
    }
  }

  private async goTo(text: string): Promise<void> {
    if (text !== '') await this.go(await positionOf(text, this.machine));
  }

  private async search(text: string): Promise<void> {
    if (text !== '') this.pattern = new CommandPattern(text);
    await this.find(1);
  }

  // Moving

  private async step(delta: number): Promise<void> {
    const { machine } = this;
    const before = machine.position;
    await this.go(before + delta, delta > 1 || delta < -1);
    // Inside a transaction there is nowhere to stand: on means past it.
    if (delta > 0 && machine.position === before && before < machine.length) {
      await this.go(await machine.behindTransaction(before));
    }
  }

  private async find(direction: 1 | -1): Promise<void> {
    const { machine, pattern } = this;
    if (pattern === null) {
      this.message = 'nothing to search for yet: press /';
      return;
    }
    const found = await this.during(`searching ${pattern.text}`, (signal) =>
      direction === 1
        ? machine.next(pattern, machine.position, signal)
        : machine.previous(pattern, machine.position - 1, signal),
    );
    if (found === null)
      this.message = `no ${direction === 1 ? 'later' : 'earlier'} command matches ${pattern.text}`;
    else await this.go(found);
  }

  private async danger(direction: 1 | -1): Promise<void> {
    const found = this.machine.danger(direction);
    if (found !== null) await this.go(found);
    else this.message = `no ${direction === 1 ? 'later' : 'earlier'} command that loses much at once`;
  }

  private async go(position: number, quiet = true): Promise<void> {
    await this.keys.stop();
    const { machine } = this;
    const label = `going to command ${count(Math.max(0, Math.min(position, machine.length)))}`;
    await this.during(label, async (signal) => {
      await machine.seek(position, { signal, progress: (share) => this.tell(label, share) });
      if (signal.aborted && !quiet) this.message = `stopped at command ${count(machine.position)}`;
    });
    await this.refresh();
  }

  private async during<T>(label: string, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.ender.signal.aborted) this.ender = new AbortController();
    this.busy = { label, share: 0 };
    try {
      return await body(this.ender.signal);
    } finally {
      this.busy = null;
    }
  }

  private tell(label: string, share: number): void {
    this.busy = { label, share };
    this.surface.changed();
  }

  private mark(which: 'A' | 'B'): void {
    const { position } = this.machine;
    if (which === 'A') this.markA = position;
    else this.markB = position;
    this.message = `${which} is the moment after command ${count(position)}; = compares`;
  }

  private async diff(): Promise<void> {
    const from = this.markA;
    if (from === null) {
      this.message = 'mark a moment with a first, and perhaps another with b';
      return;
    }
    const to = this.markB ?? this.machine.position;
    await this.keys.stop();
    const label = 'comparing the two moments';
    this.comparison = await this.during(label, (signal) =>
      this.machine.diff(from, to, { signal, progress: (share) => this.tell(label, share) }),
    );
    await this.refresh();
    if (this.comparison === null) return;
    this.markB = to;
    this.diffSelected = 0;
    this.show('diff');
  }

  // What is to be seen

  private async refresh(): Promise<void> {
    const { machine, surface } = this;
    const { log } = partsOf(surface.rows);
    const next = machine.position + 1;
    const from = Math.max(1, Math.min(next - Math.floor(log / 2), machine.length - log + 2));
    this.rows = await machine.rows(from, from + log - 1);
    if (this.opened !== null) this.value = machine.value(this.opened.database, this.opened.key);
    this.keys.relist(machine);
  }
}
