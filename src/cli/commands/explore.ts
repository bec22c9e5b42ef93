import { TimeMachine } from '../../tools/explore/time-machine.js';
import { serverNamed } from '../../tools/family.js';
import type { CommandDefinition } from '../catalog.js';
import { line } from '../explore/cells.js';
import { draw } from '../explore/draw.js';
import { Explorer, type Farewell } from '../explore/explorer.js';
import { Terminal, terminalOf } from '../explore/terminal.js';
import { printable, shellWord } from '../render/escape.js';
import { size } from '../render/numbers.js';
import type { Session } from '../session.js';
import { openNamed, preferOption, type SourceFlags } from '../source-flags.js';

interface ExploreFlags extends SourceFlags {
  readonly as?: string;
}

export const explore: CommandDefinition = {
  define(command, launch) {
    command
      .usage('[options] SOURCE')
      .argument('<source>', 'a file or a directory')
      .option('--as <server>', 'whose rules hold where the log does not say: redis-7.0, …');
    preferOption(command)
      .addHelpText('after', EXPLORE_HELP)
      .action((source: string, flags: ExploreFlags) => launch((session) => run(source, flags, session)));
  },
};

const EXPLORE_HELP = `
Examples:
  rekindle explore /var/lib/redis
  rekindle explore appendonlydir --memory 8GB      more snapshots: going back is quicker

Keys: up and down step through the log, g goes to a command number, a time or file:offset, / searches, d goes to the
next command that loses much at once, Tab to the keys and Enter to a value, a and b mark two moments and = compares
them, ? explains, q quits and prints the \`rekindle replay\` command that brings the moment back.

The log is read once for an index; then the screen opens at its end. What was executed is kept in snapshots within
--memory, from which going back starts. The source is never changed.`;

/** Less of the log than this is executed in no time. */
const SNAPSHOT_BYTES = 4e6;
/** The exit code of whoever leaves with Ctrl-C. */
const INTERRUPTED = 130;
/** Between two frames. */
const FRAME_MS = 30;

async function run(path: string, flags: ExploreFlags, session: Session): Promise<number> {
  // First of all: nobody wants to wait for an index and then be told this.
  terminalOf(session.io);
  const source = await openNamed(path, flags, session);
  const { dialect, colorOut } = session.settings;
  const as = flags.as === undefined ? null : serverNamed(flags.as, '--as');
  const options = { as, dialect, snapshotBytes: SNAPSHOT_BYTES };
  const machine = await TimeMachine.open(source, options, session.context);
  session.endProgress(false);
  const how = await show(machine, path, flags, colorOut, session);
  if (how === 'interrupt') return INTERRUPTED;
  session.print(`${commandFor(machine, path, flags, session)(machine.position)}\n`);
  session.detail(`${machine.snapshots.count} snapshots held ${size(machine.snapshots.bytes)}`);
  return 0;
}

/** Shows the log until the user leaves; whatever happens, the terminal is as before then. */
async function show(
  machine: TimeMachine,
  path: string,
  flags: ExploreFlags,
  colors: boolean,
  session: Session,
): Promise<Farewell> {
  let terminal: Terminal | null = null;
  let drawing: NodeJS.Timeout | null = null;
  const drawNow = (): void => {
    drawing = null;
    terminal?.draw(draw(explorer.scene, terminal.columns, terminal.rows));
  };
  const surface = {
    get rows(): number {
      return terminal?.rows ?? 24;
    },
    changed(): void {
      drawing ??= setTimeout(drawNow, FRAME_MS);
    },
  };
  const explorer = new Explorer(machine, surface, {
    title: `rekindle explore ${printable(path)}`,
    show: (latin1) => session.shown(latin1),
    commandFor: commandFor(machine, path, flags, session),
  });
  const { signal } = session.io;
  const aborted = new Promise<Farewell>((resolve) => {
    signal.addEventListener('abort', () => resolve('interrupt'), { once: true });
  });
  terminal = Terminal.open(session.io, colors, {
    key: (key) => {
      if (key === 'suspend') terminal?.suspend();
      else if (key === 'redraw') terminal?.forget();
      else explorer.press(key);
      surface.changed();
    },
    resized: () => {
      explorer.resized();
      surface.changed();
    },
  });
  try {
    terminal.draw([line(` rekindle explore ${printable(path)}`, 'mark')]);
    explorer.start();
    return await Promise.race([explorer.left, aborted]);
  } finally {
    explorer.stop();
    if (drawing !== null) clearTimeout(drawing);
    terminal.close();
  }
}

/** The command that brings a position back. */
function commandFor(
  machine: TimeMachine,
  path: string,
  flags: ExploreFlags,
  session: Session,
): (position: number) => string {
  return (position) => {
    const words = ['rekindle', 'replay', shellWord(path)];
    if (flags.prefer !== undefined) words.push('--prefer', flags.prefer);
    if (flags.as !== undefined) words.push('--as', shellWord(flags.as));
    if (session.settings.dialect !== null) words.push('--dialect', session.settings.dialect);
    if (position < machine.length || machine.index.damage !== null)
      words.push('--until-command', String(position));
    if ([...machine.unknown].some((number) => number <= position)) words.push('--on-unknown', 'skip');
    return [...words, '--out', 'restored'].join(' ');
  };
}
