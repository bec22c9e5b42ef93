import { describe, expect, it } from 'vitest';
import { DEFAULT_CONFIG, ServerConfigReader } from '../../src/model/server-config.js';

function parse(text: string) {
  const reader = new ServerConfigReader();
  const includes = [...reader.read(text, 'redis.conf')];
  return { config: reader.config, problems: reader.problems, given: reader.given, includes };
}

describe('a redis.conf', () => {
  it('that says nothing is that of a Redis 7.0 without one', () => {
    const { config, problems, given } = parse('# a comment\n\n   \nmaxmemory 100mb\nloglevel notice\n');
    expect(config).toEqual(DEFAULT_CONFIG);
    expect(problems).toEqual([]);
    expect(given.size).toBe(0);
  });

  it('tells of everything that concerns persistence, in any case and with quotes', () => {
    const { config, problems } = parse(
      [
        'AppendOnly YES',
        'appendfsync always',
        `appendfilename "my log.aof"`,
        `appenddirname 'it\\'s here'`,
        'dbfilename \t snapshot.rdb  ',
        'dir "/var/lib/\\x72edis"',
        'aof-load-truncated no',
        'aof-load-corrupt-tail-max-size 4kb',
        'aof-use-rdb-preamble no',
        'aof-timestamp-enabled yes',
        'aof-disable-auto-gc yes',
        'no-appendfsync-on-rewrite yes',
        'auto-aof-rewrite-percentage 50',
        'auto-aof-rewrite-min-size 1gb',
        'rdbchecksum no',
        'stop-writes-on-bgsave-error no',
        'databases 4',
      ].join('\r\n'),
    );
    expect(problems).toEqual([]);
    expect(config).toEqual({
      appendOnly: true,
      appendFsync: 'always',
      appendFilename: 'my log.aof',
      appendDirname: "it's here",
      dbFilename: 'snapshot.rdb',
      dir: '/var/lib/redis',
      aofLoadTruncated: false,
      aofLoadCorruptTailMaxSize: 4096,
      aofUseRdbPreamble: false,
      aofTimestampEnabled: true,
      aofDisableAutoGc: true,
      noAppendFsyncOnRewrite: true,
      autoAofRewritePercentage: 50,
      autoAofRewriteMinSize: 1024 ** 3,
      savePoints: DEFAULT_CONFIG.savePoints,
      rdbChecksum: false,
      stopWritesOnBgsaveError: false,
      databases: 4,
    });
  });

  it('counts the last of a setting that comes twice', () => {
    expect(parse('appendonly yes\nappendonly no\n').config.appendOnly).toBe(false);
  });

  it('keeps names in UTF-8', () => {
    const latin1 = Buffer.from('dbfilename "größe.rdb"', 'utf8').latin1Slice();
    expect(parse(latin1).config.dbFilename).toBe('größe.rdb');
  });

  it('names what it includes, where it stands', () => {
    const reader = new ServerConfigReader();
    const seen: unknown[] = [];
    for (const include of reader.read('appendonly no\ninclude /etc/more.conf\nappendonly no', 'a.conf')) {
      seen.push({ ...include, before: reader.config.appendOnly });
      expect([...reader.read('appendonly yes\nsave 10 1', 'more.conf')]).toEqual([]);
      expect(reader.config.appendOnly).toBe(true);
    }
    expect(seen).toEqual([{ line: 2, path: '/etc/more.conf', before: false }]);
    expect(reader.config).toMatchObject({ appendOnly: false, savePoints: [{ seconds: 10, changes: 1 }] });
  });
});

describe('save points', () => {
  const points = (text: string) =>
    parse(text).config.savePoints.map(({ seconds, changes }) => [seconds, changes]);

  it.each([
    [
      '',
      [
        [3600, 1],
        [300, 100],
        [60, 10000],
      ],
    ],
    [
      'save 900 1 300 10',
      [
        [900, 1],
        [300, 10],
      ],
    ],
    [
      'save 900 1\nsave 300 10',
      [
        [900, 1],
        [300, 10],
      ],
    ],
    ['save ""', []],
    ["save ''", []],
    ['save ""\nsave 60 5', [[60, 5]]],
    ['save 60 5\nsave ""', []],
    ['save', []],
    ['save 60 5\nsave 10 1\nsave ""\nsave 7 7', [[7, 7]]],
  ])('%j', (text, expected) => {
    expect(points(text)).toEqual(expected);
  });
});

describe('lines that no server can follow', () => {
  it.each([
    ['appendonly maybe', "appendonly: argument must be 'yes' or 'no'"],
    ['appendonly', 'appendonly: wrong number of arguments'],
    ['appendonly yes no', 'appendonly: wrong number of arguments'],
    ['appendfsync sometimes', 'appendfsync: argument(s) must be one of the following: everysec, always, no'],
    ['appendfilename a/b.aof', "appendfilename: can't be a path, just a filename"],
    ['appenddirname ..', 'appenddirname: is no name of a file'],
    ['dbfilename "../../etc/passwd"', "dbfilename: can't be a path, just a filename"],
    ['dbfilename ""', 'dbfilename: is empty'],
    ['save 900', 'save: Invalid save parameters'],
    ['save 0 1', 'save: Invalid save parameters'],
    ['save a b', 'save: Invalid save parameters'],
    ['databases many', 'databases: argument must be a number'],
    ['dir "open', 'Unbalanced quotes in configuration line'],
  ])('%s', (line, message) => {
    const { problems, config } = parse(`# first\n${line}`);
    expect(problems).toEqual([{ file: 'redis.conf', line: 2, message }]);
    expect(config).toEqual(DEFAULT_CONFIG);
  });
});
