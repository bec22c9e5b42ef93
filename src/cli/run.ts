import { BrokenPipe, Interrupted, type Io } from './io.js';
import { VERSION } from './version.js';

export { type Io, processIo } from './io.js';

/**
 * Runs one command line. Resolves to the exit code; never throws for anything a user can cause, never ends the process.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  // Answered before anything is loaded: scripts ask this first.
  if (argv.length === 1 && NAMES_OF_VERSION.includes(argv[0]!)) {
    io.stdout.write(`${VERSION}\n`);
    return 0;
  }
  if (asksForFormats(argv)) {
    const { versionReport } = await import('./version-report.js');
    io.stdout.write(versionReport(argv.includes('--json')));
    return 0;
  }
  if (argv.length === 2 && argv.includes('--json') && argv.some((word) => NAMES_OF_VERSION.includes(word))) {
    const { jsonReport } = await import('./render/json.js');
    io.stdout.write(jsonReport({ version: VERSION }));
    return 0;
  }
  if (argv.includes('check')) await (await import('./begin-early.js')).beginEarly(argv);
  const { runProgram } = await import('./program.js');
  try {
    return await runProgram(argv, io);
  } catch (error) {
    const reason: unknown = io.signal.aborted ? io.signal.reason : undefined;
    if (reason instanceof BrokenPipe) return 0;
    if (reason instanceof Interrupted) {
      io.stderr.write('rekindle: interrupted; nothing half-written is left behind\n');
      return 130;
    }
    const { reportFailure } = await import('./failure.js');
    return reportFailure(error, argv, io);
  }
}

/** `--version --verbose`, with `--json` or without: the version alone is answered before. */
function asksForFormats(argv: readonly string[]): boolean {
  const isOne = (names: readonly string[]) => argv.some((word) => names.includes(word));
  const known = [...NAMES_OF_VERSION, ...NAMES_OF_VERBOSE, '--json'];
  return argv.every((word) => known.includes(word)) && isOne(NAMES_OF_VERSION) && isOne(NAMES_OF_VERBOSE);
}

const NAMES_OF_VERSION = ['--version', '-V'];
const NAMES_OF_VERBOSE = ['--verbose', '-v'];
