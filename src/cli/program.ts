import { Command, CommanderError } from 'commander';
import { UsageError } from '../errors.js';
import { DamageError } from '../tools/report.js';
import { CATALOG, type Launch } from './catalog.js';
import type { Io } from './io.js';
import { refuseAddresses } from './refuse-addresses.js';
import { printableLines } from './render/escape.js';
import { jsonReport } from './render/json.js';
import { Session } from './session.js';
import { DIALECTS, type GlobalFlags, settingsOf } from './settings.js';
import { commandHint } from './suggest.js';
import { VERSION } from './version.js';

const EXIT_CODES = `
Exit codes:
  0    done; intact; equal; verified
  1    the answer is no: damaged, different, verification failed
  2    usage: unknown option, bad value, output exists and no --force
  3    a source can't be read: missing, no permission, not a known format
  4    an output failed; nothing half-written is left behind
  130  interrupted; nothing half-written is left behind

Sources are files (RDB, AOF, AOF manifest: told by content), data directories, or - for standard input.
\`rekindle help COMMAND\` shows a command's options and examples, \`rekindle --version --verbose\` the formats that are known.`;

const EXAMPLES = `
Examples:
  rekindle check /var/lib/redis
  rekindle info dump.rdb --json
  rekindle replay /var/lib/redis --before FLUSHALL --out restored.rdb
`;

/** Parses the command line and runs what it names. Resolves to the exit code. */
export async function runProgram(argv: readonly string[], io: Io): Promise<number> {
  const program = adoptIo(declareProgram(), io);
  let exitCode = 0;
  const launch: Launch = async (body) => {
    const session = new Session(io, settingsOf(program.opts<GlobalFlags>(), io));
    let isDone = false;
    try {
      exitCode = await body(session);
      io.signal.throwIfAborted();
      isDone = true;
    } catch (error) {
      if (!(error instanceof DamageError) || io.signal.aborted) throw error;
      const { reportDamage } = await import('./failure.js');
      exitCode = reportDamage(error, session);
    } finally {
      session.endProgress(isDone);
    }
  };
  try {
    await declareCommands(program, launch, (name) => argv.includes(name));
    refuseUnknownHelp(argv);
    program.hook('preAction', (_program, command) => refuseAddresses(command));
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    if (argv.includes('--json') && error.code !== 'commander.help') io.stdout.write(usageJson(error, argv));
    return 2;
  }
  return exitCode;
}

/** The whole program as it describes itself: for completions, manuals and tests. It runs nothing. */
export async function wholeProgram(): Promise<Command> {
  const program = declareProgram();
  await declareCommands(
    program,
    () => Promise.resolve(),
    () => true,
  );
  return program;
}

/** Adds every command; only those that are wanted load what they need. */
async function declareCommands(
  program: Command,
  launch: Launch,
  isWanted: (name: string) => boolean,
): Promise<void> {
  for (const entry of CATALOG) {
    const command = program.command(entry.name).summary(entry.summary).description(capital(entry.summary));
    const more = `rekindle help ${entry.name}`;
    command.configureOutput({ outputError: (text, write) => write(worded(text, more)) });
    if (isWanted(entry.name)) (await entry.load()).define(command, launch);
  }
}

/** `help` of a command that does not exist would be the help of all. */
function refuseUnknownHelp(argv: readonly string[]): void {
  const [first, name] = argv.filter((word) => !word.startsWith('-'));
  const isKnown = name === 'help' || CATALOG.some((entry) => entry.name === name);
  if (first === 'help' && name !== undefined && !isKnown) {
    throw new UsageError(`unknown command '${name}'`, commandHint(name));
  }
}

function declareProgram(): Command {
  return new Command('rekindle')
    .description('Brings a Redis or Valkey dataset back from its files.')
    .usage('COMMAND [options] SOURCE')
    .version(VERSION, '-V, --version', 'print the version')
    .option('--json', 'print one JSON object (or NDJSON where a stream is natural)')
    .option('-q, --quiet', 'print results and errors only')
    .option('-v, --verbose', 'say more on standard error')
    .option('--no-color', 'no colours (also: NO_COLOR)')
    .option('--now <time>', 'the clock for expiry and ages: unix seconds or ISO 8601')
    .option('--dialect <name>', `whose file it is, where it can't tell: ${DIALECTS.join(', ')}`)
    .option('--force', 'overwrite an existing output')
    .option('--redact', 'hide keys and values in everything printed (hash key: REKINDLE_REDACT_KEY)')
    .option('--memory <size>', 'the most a rebuilt dataset may hold (default: half of the memory)')
    .option('--strict', 'treat warnings as errors')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', EXAMPLES + EXIT_CODES);
}

function adoptIo(program: Command, io: Io): Command {
  return program.exitOverride().configureOutput({
    writeOut: (text) => io.stdout.write(text),
    writeErr: (text) => io.stderr.write(text),
    getOutHelpWidth: () => io.stdout.columns ?? 100,
    getErrHelpWidth: () => io.stderr.columns ?? 100,
    outputError: (text, write) => write(worded(text, 'rekindle help')),
  });
}

/** What commander says, in our words, and where there is more. */
function worded(text: string, more: string): string {
  const { message, hint } = reworded(text, more);
  return `rekindle: ${printableLines(message)}\n  try: ${printableLines(hint)}\n`;
}

/** The same for `--json`. */
function usageJson({ message: text }: CommanderError, argv: readonly string[]): string {
  const command = CATALOG.find(({ name }) => argv.includes(name));
  const more = command === undefined ? 'rekindle help' : `rekindle help ${command.name}`;
  return jsonReport({ error: { code: 'usage', path: null, ...reworded(text, more) } });
}

function reworded(text: string, more: string): { readonly message: string; readonly hint: string } {
  const plain = text
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*)\?\)/, '; did you mean $1?')
    .trimEnd();
  const unknown = /^unknown command '(.*?)'/s.exec(plain);
  const message = unknown === null ? plain : `unknown command '${unknown[1]!}'`;
  const hint = unknown === null ? more : commandHint(unknown[1]!);
  return { message, hint };
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
