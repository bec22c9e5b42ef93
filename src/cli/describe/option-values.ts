import { RDB_TARGETS } from '../../rdb/writer-target.js';
import { CONVERT_FORMS, OUTPUT_PACKINGS } from '../../tools/convert/forms.js';
import { KINDS } from '../filter-flags.js';
import { CSV_TABLES } from '../render/memory-csv.js';
import { DIALECTS } from '../settings.js';

const SERVERS = [...RDB_TARGETS.keys()];

/** Values of options that have a list of them, by the name of the option; where commands differ, by `command --option`. */
export const OPTION_VALUES: Readonly<Record<string, readonly string[]>> = {
  '--as': SERVERS,
  '--dialect': DIALECTS,
  '--engine': ['embedded', 'server'],
  '--expired': ['keep', 'drop', 'only'],
  '--for': SERVERS,
  '--on-duplicate': ['first', 'last', 'error'],
  '--on-unknown': ['stop', 'skip'],
  '--preamble': ['yes', 'no'],
  '--prefer': ['rdb', 'aof'],
  '--strategy': ['truncate', 'skip'],
  '--type': KINDS,
  '--via': ['sync', 'dump', 'type'],
  'convert --compress': [...Object.keys(OUTPUT_PACKINGS), 'none'],
  'convert --split': ['slots:', 'count:', 'db'],
  'convert --to': CONVERT_FORMS,
  'convert --ttl': ['strip', 'shift:', 'now:'],
  'memory --csv': CSV_TABLES,
  'replay --to': ['rdb', 'aofdir', 'aof', 'resp'],
  'verify --drill': ['embedded', 'server'],
  'verify --format': ['text', 'json', 'nagios'],
};

/** Options of the stand-ins for other programs, which read their arguments as those do. */
export const FOREIGN_OPTIONS: Readonly<Record<string, readonly (readonly [flags: string, what: string])[]>> =
  {
    'check-aof': [
      ['--fix', 'cut the last file where its damage begins'],
      ['--yes', 'agree beforehand'],
      ['--truncate-to-timestamp <seconds>', 'cut the last file before an annotation later than this'],
    ],
  };
