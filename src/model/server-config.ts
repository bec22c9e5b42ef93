import { splitWords } from './words.js';

/** When a server asks the system to put its log on the medium. */
export type AppendFsync = 'always' | 'everysec' | 'no';

/** Save when so many changes were made and so many seconds have passed since the last save. */
export interface SavePoint {
  readonly seconds: number;
  readonly changes: number;
}

/** What redis.conf says of persistence; what it does not say is the default of Redis 7.0. */
export interface ServerConfig {
  readonly appendOnly: boolean;
  readonly appendFsync: AppendFsync;
  /** Base names, as text. */
  readonly appendFilename: string;
  readonly appendDirname: string;
  readonly dbFilename: string;
  /** The working directory; null when the file does not say. */
  readonly dir: string | null;
  readonly aofLoadTruncated: boolean;
  /** Bytes at the end of a log that Redis from 8.4 on may drop although they are damaged; 0: none. */
  readonly aofLoadCorruptTailMaxSize: number;
  readonly aofUseRdbPreamble: boolean;
  readonly aofTimestampEnabled: boolean;
  /** True: history files are kept. */
  readonly aofDisableAutoGc: boolean;
  readonly noAppendFsyncOnRewrite: boolean;
  readonly autoAofRewritePercentage: number;
  readonly autoAofRewriteMinSize: number;
  /** Empty: the server never saves by itself. */
  readonly savePoints: readonly SavePoint[];
  readonly rdbChecksum: boolean;
  readonly stopWritesOnBgsaveError: boolean;
  readonly databases: number;
}

/** A line that could not be followed; with most of these servers refuse to start. */
export interface ConfigProblem {
  /** Counted from 1 in `file`. */
  readonly line: number;
  readonly file: string;
  readonly message: string;
}

export const DEFAULT_CONFIG: ServerConfig = {
  appendOnly: false,
  appendFsync: 'everysec',
  appendFilename: 'appendonly.aof',
  appendDirname: 'appendonlydir',
  dbFilename: 'dump.rdb',
  dir: null,
  aofLoadTruncated: true,
  aofLoadCorruptTailMaxSize: 0,
  aofUseRdbPreamble: true,
  aofTimestampEnabled: false,
  aofDisableAutoGc: false,
  noAppendFsyncOnRewrite: false,
  autoAofRewritePercentage: 100,
  autoAofRewriteMinSize: 64 * 1024 * 1024,
  savePoints: [
    { seconds: 3600, changes: 1 },
    { seconds: 300, changes: 100 },
    { seconds: 60, changes: 10000 },
  ],
  rdbChecksum: true,
  stopWritesOnBgsaveError: true,
  databases: 16,
};

/** Another file whose lines stand in place of the line that names it. */
export interface ConfigInclude {
  readonly line: number;
  /** As it is written: may be relative to the server's working directory, and a glob since Redis 7.0. */
  readonly path: string;
}

/**
 * Reads lines of redis.conf in order, by the servers' rules: of a setting given twice the last counts, save points add up.
 * Settings that say nothing of persistence are passed over.
 */
export class ServerConfigReader {
  readonly problems: ConfigProblem[] = [];
  /** Lower-case names of the settings that were given and are known here. */
  readonly given = new Set<string>();
  private values: { -readonly [K in keyof ServerConfig]: ServerConfig[K] } = { ...DEFAULT_CONFIG };

  /** Settings as far as they were read. */
  get config(): ServerConfig {
    return { ...this.values };
  }

  /**
   * Takes the lines of one file. An `include` ends it early: the caller reads the file named, if it can, and goes on
   * with the line after it.
   *
   * @param text one character per byte
   */
  *read(text: string, file: string): Generator<ConfigInclude, void, void> {
    let number = 0;
    for (const raw of text.split('\n')) {
      number++;
      const line = raw.replace(/^[ \t\r]+|[ \t\r]+$/g, '');
      if (line === '' || line.startsWith('#')) continue;
      const words = splitWords(line);
      if (words === null) this.problem(file, number, 'Unbalanced quotes in configuration line');
      else if (words[0]?.toLowerCase() === 'include' && words.length === 2) {
        yield { line: number, path: utf8(words[1]!) };
      } else if (words.length > 0) this.setting(words, file, number);
    }
  }

  /** Notes that something about a line stood in the way. */
  problem(file: string, line: number, message: string): void {
    this.problems.push({ file, line, message });
  }

  private setting(words: readonly string[], file: string, line: number): void {
    const name = words[0]!.toLowerCase();
    const take = SETTINGS[name];
    if (take === undefined) return;
    const values = words.slice(1);
    const fault =
      name !== 'save' && values.length !== 1
        ? 'wrong number of arguments'
        : take(this.values, values, this.given);
    if (fault === null) this.given.add(name);
    else this.problem(file, line, `${name}: ${fault}`);
  }
}

type Values = { -readonly [K in keyof ServerConfig]: ServerConfig[K] };
/** Takes the words of a setting; what is wrong with them, null when nothing is. */
type Setting = (values: Values, words: readonly string[], given: ReadonlySet<string>) => string | null;

type KeysOf<T> = { [K in keyof ServerConfig]: ServerConfig[K] extends T ? K : never }[keyof ServerConfig];

function flag(key: KeysOf<boolean>): Setting {
  return (values, [word]) => {
    const text = word!.toLowerCase();
    if (text !== 'yes' && text !== 'no') return "argument must be 'yes' or 'no'";
    values[key] = text === 'yes';
    return null;
  };
}

function name(key: 'appendFilename' | 'appendDirname' | 'dbFilename'): Setting {
  return (values, [word]) => {
    const text = utf8(word!);
    if (text === '') return 'is empty';
    if (/[/\\]/.test(text)) return "can't be a path, just a filename";
    // The servers' test lets these two pass, and then opens the directory they name.
    if (text === '.' || text === '..' || text.includes('\0')) return 'is no name of a file';
    values[key] = text;
    return null;
  };
}

function amount(key: KeysOf<number>): Setting {
  return (values, [word]) => {
    const bytes = memoryOf(word!);
    if (bytes === null) return 'argument must be a number';
    values[key] = bytes;
    return null;
  };
}

/** By name, as in redis.conf. */
const SETTINGS: Readonly<Record<string, Setting>> = {
  appendonly: flag('appendOnly'),
  appendfsync: (values, [word]) => {
    const text = word!.toLowerCase();
    if (text !== 'always' && text !== 'everysec' && text !== 'no') {
      return 'argument(s) must be one of the following: everysec, always, no';
    }
    values.appendFsync = text;
    return null;
  },
  appendfilename: name('appendFilename'),
  appenddirname: name('appendDirname'),
  dbfilename: name('dbFilename'),
  dir: (values, [word]) => {
    values.dir = utf8(word!);
    return null;
  },
  'aof-load-truncated': flag('aofLoadTruncated'),
  'aof-load-corrupt-tail-max-size': amount('aofLoadCorruptTailMaxSize'),
  'aof-use-rdb-preamble': flag('aofUseRdbPreamble'),
  'aof-timestamp-enabled': flag('aofTimestampEnabled'),
  'aof-disable-auto-gc': flag('aofDisableAutoGc'),
  'no-appendfsync-on-rewrite': flag('noAppendFsyncOnRewrite'),
  'auto-aof-rewrite-percentage': amount('autoAofRewritePercentage'),
  'auto-aof-rewrite-min-size': amount('autoAofRewriteMinSize'),
  rdbchecksum: flag('rdbChecksum'),
  'stop-writes-on-bgsave-error': flag('stopWritesOnBgsaveError'),
  databases: amount('databases'),
  save: (values, words, given) => {
    const none = words.length === 0 || (words.length === 1 && words[0] === '');
    const numbers = none ? [] : words.map((word) => (/^\d{1,15}$/.test(word) ? Number(word) : Number.NaN));
    const isWrong = (value: number, i: number) => Number.isNaN(value) || (i % 2 === 0 && value < 1);
    if (numbers.length % 2 !== 0 || numbers.some(isWrong)) return 'Invalid save parameters';
    // The first line takes the place of the defaults, the others add to it; an empty one takes all away.
    const points = given.has('save') && !none ? [...values.savePoints] : [];
    for (let i = 0; i < numbers.length; i += 2)
      points.push({ seconds: numbers[i]!, changes: numbers[i + 1]! });
    values.savePoints = points;
    return null;
  },
};

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1000,
  kb: 1024,
  m: 1000 ** 2,
  mb: 1024 ** 2,
  g: 1000 ** 3,
  gb: 1024 ** 3,
};

function memoryOf(text: string): number | null {
  const match = /^(\d{1,15})([a-z]*)$/i.exec(text);
  const unit = match === null ? undefined : UNITS[match[2]!.toLowerCase()];
  return match === null || unit === undefined ? null : Number(match[1]) * unit;
}

/** Names of files are UTF-8 for the system; the configuration is read one character per byte. */
function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
