import type { Random } from '../support/random.js';
import type { Command, Word } from './connection.js';
import { Draw, type Supplies } from './draw.js';
import { choose, type Form } from './forms.js';

/** What a server says of one of its commands. */
export interface Known {
  readonly arity: number;
  readonly writes: boolean;
}

export interface WorkloadOptions {
  /** `client`: a server judges each command; `log`: it loads them as they stand, and guards against less. */
  readonly way: 'client' | 'log';
  readonly known: ReadonlyMap<string, Known>;
  readonly commands: number;
  /** Families to draw from; null: all. */
  readonly families: readonly string[] | null;
}

/** Commands that make room for whatever offset or number of a database they are given. */
const UNBOUNDED = /^(SETRANGE|SETBIT|BITFIELD|SELECT|MOVE|SWAPDB|COPY)$/i;

/** Random commands, some of them mangled, some between MULTI and EXEC. */
export class Workload {
  private readonly draw: Draw;
  private readonly form: () => Form;
  private readonly commands: Command[] = [];
  /** Scripts are slow to set up in the engine: few workloads have them. */
  private readonly scripted: boolean;

  constructor(
    private readonly random: Random,
    private readonly options: WorkloadOptions,
    supplies: Omit<Supplies, 'bounded'>,
  ) {
    const { way, known, families } = options;
    this.scripted = random.once(4);
    this.draw = new Draw(random, { ...supplies, bounded: way === 'client' });
    const isKnown = ({ name, client, needs }: Form): boolean =>
      known.has(name) &&
      (needs === null || known.has(needs)) &&
      (way === 'client' || !client) &&
      !(way === 'log' && /^(eval|fcall)/.test(name) && !this.scripted);
    this.form = choose(random, isKnown, families);
  }

  make(): readonly Command[] {
    const { commands, random } = this;
    if (random.once(2)) commands.push(['SELECT', String(random.below(3))]);
    while (commands.length < this.options.commands) {
      if (random.once(15)) this.transaction();
      else commands.push(this.next());
    }
    return commands;
  }

  private transaction(): void {
    const { commands, random, options } = this;
    commands.push([random.pick(['MULTI', 'multi'])]);
    for (let i = random.between(0, 6); i > 0; i--) commands.push(this.next());
    if (options.way === 'client') {
      if (random.once(8)) commands.push(random.pick([['MULTI'], ['NOSUCH'], ['GET'], ['WATCH', 's0']]));
      commands.push([random.once(6) ? 'DISCARD' : 'EXEC']);
    } else {
      commands.push(['EXEC']);
    }
  }

  private next(): Command {
    const { random } = this;
    const words = this.form().make(this.draw);
    // Before Redis 5 nobody can wake a client whose timeout is none.
    const waits = /^(BL|BR|BZ)/i.test(words[0]!.toString()) && !this.options.known.has('xadd');
    return random.once(9) && !waits ? this.mangled(words) : words;
  }

  private mangled(words: Word[]): Command {
    const { random } = this;
    const mangled = [...words];
    const at = random.between(1, Math.max(1, words.length - 1));
    switch (random.below(6)) {
      case 0:
        mangled.splice(at, 0, this.draw.hostile());
        break;
      case 1:
        mangled.splice(at, 1);
        break;
      case 2:
        mangled.splice(at, 0, mangled[at] ?? '');
        break;
      case 3: {
        const other = random.between(1, Math.max(1, words.length - 1));
        [mangled[at], mangled[other]] = [mangled[other] ?? '', mangled[at] ?? ''];
        break;
      }
      default:
        if (at < mangled.length) mangled[at] = this.draw.hostile();
    }
    return this.options.way === 'client' || this.mayStand(mangled) ? mangled : words;
  }

  private mayStand(command: Command): boolean {
    if (/^(fcall|eval|function|publish|script)/i.test(command[0]!.toString())) return false;
    return mayBeLoaded(command, this.options.known);
  }
}

/** Loading servers look neither at the number of arguments nor at limits: some then die of what they are given. */
export function mayBeLoaded(command: Command, commands: ReadonlyMap<string, Known>): boolean {
  const [name, second] = command.map((word) => word.toString('latin1').toLowerCase());
  const known = commands.get(`${name}|${second}`) ?? commands.get(name!);
  if (known === undefined) return false;
  const isContainer = /^(xgroup|function|script)$/.test(name!) && commands.has('xgroup|create');
  if (isContainer && !commands.has(`${name}|${second}`)) return false;
  const { arity } = known;
  if (arity >= 0 ? command.length !== arity : command.length < -arity) return false;
  if (!UNBOUNDED.test(name!)) return true;
  const most = /^set|^bit/.test(name!) ? 65536 : 15;
  return command.every((word) => !(Math.abs(Number(word)) > most));
}
