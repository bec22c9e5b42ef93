import { UsageError } from '../../errors.js';
import { type MemoryReport, memory as measure } from '../../tools/memory.js';
import type { CommandDefinition } from '../catalog.js';
import { conditionsOf, type FilterFlags, filterOptions, isFiltered } from '../filter-flags.js';
import { liveSourceOptions } from '../live-flags.js';
import { noteLogFindings } from '../render/log-findings.js';
import { printMemory } from '../render/memory.js';
import { CSV_TABLES, type CsvTable, memoryCsv } from '../render/memory-csv.js';
import { memoryJson } from '../render/memory-json.js';
import type { Session } from '../session.js';
import { openNamedDataset, preferOption, type SourceFlags } from '../source-flags.js';
import { parseCount, parseWord } from '../values.js';

interface MemoryFlags extends SourceFlags, FilterFlags {
  readonly top?: string;
  readonly prefixes?: string;
  readonly slots?: boolean;
  readonly csv?: string | true;
}

export const memory: CommandDefinition = {
  define(command, launch) {
    command
      .usage('[options] SOURCE')
      .argument('<source>', 'a file, a directory, a live server (redis://…), or - for standard input')
      .option('--top <n>', 'name so many of the largest keys (default: 10)')
      .option('--prefixes <n>', 'show so many groups of keys (default: 20; all with --json and --csv)')
      .option('--slots', 'add up the slots of a cluster')
      .option('--csv [table]', `print one table as CSV: ${CSV_TABLES.join(', ')} (default: prefixes)`);
    liveSourceOptions(filterOptions(preferOption(command)))
      .addHelpText('after', HELP)
      .action((source: string, flags: MemoryFlags) => launch((session) => run(source, flags, session)));
  },
};

const HELP = `
Examples:
  rekindle memory dump.rdb                            what fills the memory, by type, prefix and key
  rekindle memory /var/lib/redis --top 50             the largest keys
  rekindle memory dump.rdb --match 'session:*'        of these keys alone
  rekindle memory dump.rdb --csv keys --top 1000 > keys.csv
  rekindle memory dump.rdb --json | jq .prefixes

Memory is what MEMORY USAGE of a Redis 7.0 would say of the key once it has loaded it, estimated; in the file is what
the key's record takes there. Groups of keys are patterns that --match takes: numbers and ids stand as *.`;

async function run(path: string, flags: MemoryFlags, session: Session): Promise<number> {
  const { settings } = session;
  const table = csvTableOf(flags, session);
  const top = countOf(flags.top, '--top', 10);
  const all = settings.json || table !== null ? Number.POSITIVE_INFINITY : 20;
  const prefixes = countOf(flags.prefixes, '--prefixes', all);
  const conditions = conditionsOf(flags);
  const slots = flags.slots === true || table === 'slots';
  const options = { conditions, dialect: settings.dialect, onUnknown: 'stop', top, slots } as const;
  const source = await openNamedDataset(path, flags, session);
  const report = await measure(source, options, session.context);
  if (settings.json) session.report(memoryJson(report, prefixes, session));
  else if (table !== null) session.print(memoryCsv(report, table, prefixes, session));
  else printMemory(report, prefixes, session);
  noteLogFindings(report.findings, session);
  return exitCodeOf(report, flags, session);
}

function csvTableOf(flags: MemoryFlags, session: Session): CsvTable | null {
  if (flags.csv === undefined) return null;
  if (session.settings.json) throw new UsageError('--csv and --json exclude each other', 'give one of them');
  return flags.csv === true ? 'prefixes' : parseWord(flags.csv, '--csv', CSV_TABLES);
}

const countOf = (text: string | undefined, option: string, otherwise: number): number =>
  text === undefined ? otherwise : parseCount(text, option);

function exitCodeOf({ total, findings }: MemoryReport, flags: FilterFlags, session: Session): number {
  if (total.keys === 0 && isFiltered(flags)) {
    session.note('no key matches');
    return 1;
  }
  return session.settings.strict && findings.length > 0 ? 1 : 0;
}
