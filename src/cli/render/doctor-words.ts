import type { Diagnosis } from '../../tools/doctor/diagnosis.js';
import type { DataRisk } from '../../tools/doctor/message.js';
import type { DoctorReport } from '../../tools/doctor.js';
import { targetOf } from '../../tools/target-choice.js';
import { printable, shellPath } from './escape.js';
import { count, offset } from './numbers.js';

export const RISK_WORDS: Readonly<Record<DataRisk, string>> = {
  none: 'not in danger',
  'at-risk': 'IN DANGER',
  lost: 'PARTLY LOST',
};

/** Who writes an RDB of a version. */
const WRITERS: Readonly<Record<number, string>> = {
  1: 'Redis up to 2.2 writes it',
  2: 'Redis 2.4 writes it',
  6: 'Redis 2.6 to 3.0 write it',
  7: 'Redis 3.2 writes it',
  8: 'Redis 4.0 writes it',
  9: 'Redis 5.0 to 6.2, KeyDB and Dragonfly write it',
  10: 'Redis 7.0 writes it',
  11: 'Redis 7.2 and Valkey 7.2 to 8.1 write it',
  12: 'Redis 7.4 to 8.4 write it',
  13: 'Redis 8.6 writes it',
  14: 'Redis 8.8 writes it',
  15: 'Redis 8.10 writes it',
  16: 'Redis 8.10 writes it',
  80: 'Valkey 9 writes it',
};

/** Stands for the data directory where nothing tells which it is. */
export const DIRECTORY = 'DIR';

/** What the texts and commands of a diagnosis may name, with what is known here. */
export type Names = Readonly<Record<string, string>>;

export function namesOf({ captures }: Diagnosis, report: DoctorReport): Names {
  const directory = captures['dir'] ?? report.directory ?? DIRECTORY;
  const dir = directory === '' ? '.' : directory;
  const file = captures['file'] ?? '';
  const below = (name: string) => (dir === '.' ? name : `${dir.replace(/\/+$/, '')}/${name}`);
  const isRdb = /\.rdb$/.test(file) && !/\.base\.rdb$|^temp-/.test(file);
  // A file by itself is as good as nothing of a log of several; its directory is known from nowhere else, though.
  const isPath = file.includes('/') && !/appendonlydir\//.test(file);
  return {
    ...captures,
    dir,
    rdb: isRdb ? (file.startsWith('/') ? file : below(file)) : below('dump.rdb'),
    log: dir === DIRECTORY && isPath && !isRdb ? file : dir,
    out: 'rescued.rdb',
    target: targetFor(report),
    writers: writersOf(captures['version']),
    where:
      Number(captures['offset'] ?? 0) === 0 ? '' : `, before offset ${offset(Number(captures['offset']))}`,
    keyText: captures['key'] === undefined ? '' : `: ${captures['key']}`,
    loaded: captures['keys'] === undefined ? '' : `: ${count(Number(captures['keys']))} keys`,
    entryText: entryText(captures),
  };
}

function writersOf(version: string | undefined): string {
  const writers = WRITERS[Number(version)];
  return writers === undefined ? '' : ` (${writers})`;
}

function entryText({ line, entry }: Diagnosis['captures']): string {
  if (line === undefined) return '';
  return entry === undefined ? ` (line ${line})` : ` (line ${line}: \`${entry}\`)`;
}

/** What to write for: the server whose lines these are, else one that most can load. */
function targetFor({ server }: DoctorReport): string {
  const own =
    server === null || server.product === 'keydb' ? null : targetOf({ ...server, product: server.product });
  return own?.name ?? 'redis-7.0';
}

const NAME = /\{(\w+)(?:\|([^{}]*))?\}/g;

/** A text with its names filled in; what is unknown is its own alternative, or nothing. */
export function filled(text: string, names: Names): string {
  return text.replace(NAME, (_all, name: string, otherwise?: string) =>
    printable(names[name] ?? otherwise ?? ''),
  );
}

/** A command line with its names filled in, as a shell takes it. */
export function filledCommand(command: string, names: Names): string {
  return command
    .split(' ')
    .map((word) => filledWord(word, names))
    .join(' ');
}

function filledWord(word: string, names: Names): string {
  if (!word.includes('{')) return word;
  const text = filled(word, names);
  // What a server logged must not be taken for an option.
  return shellPath(text);
}
