import { serverNamed } from '../../tools/family.js';
import { type HistoryEnd, type HistoryOptions, history as historyOf } from '../../tools/history.js';
import type { CommandDefinition } from '../catalog.js';
import { type CutFlags, cutOf, cutOptions } from '../cut-flags.js';
import { bytesOf } from '../filter-flags.js';
import { historyJson, historyText, noteHistory } from '../render/history.js';
import type { Session } from '../session.js';
import { openNamed, preferOption, type SourceFlags } from '../source-flags.js';
import { parseCount, parseWord } from '../values.js';

interface HistoryFlags extends SourceFlags, CutFlags {
  readonly db?: readonly string[];
  readonly elements?: string;
  readonly as?: string;
  readonly onUnknown?: string;
}

const ELEMENTS_SHOWN = 20;

export const history: CommandDefinition = {
  define(command, launch) {
    command
      .usage('[options] SOURCE KEY')
      .argument('<source>', 'a file, a directory, or - for standard input')
      .argument('<key>', 'a key, or a pattern as KEYS takes it: user:*');
    cutOptions(command)
      .option('--db <n>', 'keys of this database (default: of all); may be repeated', gather)
      .option(
        '--elements <n>',
        `elements shown of each value and change; 0: all (default: ${ELEMENTS_SHOWN})`,
      )
      .option('--as <server>', 'whose rules hold where the log does not say: redis-7.0, …')
      .option('--on-unknown <what>', 'at a command the engine does not know: stop (default) or skip');
    preferOption(command)
      .addHelpText('after', HELP)
      .action((source: string, key: string, flags: HistoryFlags) =>
        launch((session) => run(source, key, flags, session)),
      );
  },
};

const gather = (value: string, previous: readonly string[] | undefined): readonly string[] => [
  ...(previous ?? []),
  value,
];

const HELP = `
Examples:
  rekindle history /var/lib/redis user:1001                who changed it, when, and what it was before
  rekindle history /var/lib/redis 'cart:*' --db 2 --json   one object per change
  rekindle history appendonlydir stock:7 --before FLUSHALL

Told is every command that changed a key of that name, also as the target of RENAME, COPY, MOVE, RESTORE or SWAPDB and
by FLUSHALL, with file:offset (where the command begins) and its number; what a base RDB held comes first. A command
that left everything as it was is not told. \`rekindle replay SOURCE --until-command N\` has the dataset after command N;
with N less by one, before it. A backslash takes *, ?, [ and \\ as they are. Exit code 1: no such key was ever there.`;

async function run(path: string, key: string, flags: HistoryFlags, session: Session): Promise<number> {
  const { settings } = session;
  const options: HistoryOptions = {
    pattern: bytesOf(key),
    databases: (flags.db ?? []).map((text) => parseCount(text, '--db')),
    cut: cutOf(flags),
    as: flags.as === undefined ? null : serverNamed(flags.as, '--as'),
    onUnknown: parseWord(flags.onUnknown ?? 'stop', '--on-unknown', ['stop', 'skip']),
    dialect: settings.dialect,
  };
  const asked = flags.elements === undefined ? ELEMENTS_SHOWN : parseCount(flags.elements, '--elements');
  const elements = asked === 0 ? Number.POSITIVE_INFINITY : asked;
  const source = await openNamed(path, flags, session);
  const { end, told, keys } = await print(historyOf(source, options, session.context), elements, session);
  if (told === 0) session.complain(`no key ${session.shown(bytesOf(key))} was there at any time`);
  noteHistory(end, told, keys, session);
  const flawed = settings.strict && end.findings.length > 0;
  return told === 0 || !end.matched || flawed ? 1 : 0;
}

async function print(
  batches: ReturnType<typeof historyOf>,
  elements: number,
  session: Session,
): Promise<{ end: HistoryEnd; told: number; keys: number }> {
  const render = session.settings.json ? historyJson : historyText;
  const keys = new Set<string>();
  let told = 0;
  for (;;) {
    const step = await batches.next();
    if (step.done === true) return { end: step.value, told, keys: keys.size };
    for (const entry of step.value) {
      session.print(render(entry, elements, session));
      keys.add(`${entry.database} ${entry.key.latin1Slice()}`);
      told++;
      if (session.full) await session.drain();
    }
  }
}
