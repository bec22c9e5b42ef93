import type { Command } from 'commander';
import type { LiveOrigin } from '../tools/live/source.js';
import type { NotChecked } from '../tools/report.js';
import {
  type DatasetSource,
  type OpenOptions,
  openDataset,
  openSource,
  type Source,
} from '../tools/source.js';
import { type LiveSourceFlags, liveAccessOf } from './live-flags.js';
import { printable } from './render/escape.js';
import type { Session } from './session.js';
import { parseWord } from './values.js';

/** Options of every command that reads a source. */
export interface SourceFlags extends LiveSourceFlags {
  readonly prefer?: string;
}

export function preferOption(command: Command): Command {
  return command.option(
    '--prefer <form>',
    'the dataset of a directory that holds both: rdb or aof (default: aof)',
  );
}

function sourceOptionsOf(flags: SourceFlags, session: Session): OpenOptions {
  const { prefer } = flags;
  return {
    prefer: prefer === undefined ? null : parseWord(prefer, '--prefer', ['rdb', 'aof']),
    stdin: session.io.stdin,
    signal: session.io.signal,
    hold: true,
    receiving: (label, done) => session.context.progress({ phase: 'receiving', label, done, total: null }),
    live: liveAccessOf(flags, session),
    s3: { pathStyle: /^(1|true|yes|on)$/i.test(session.io.env['REKINDLE_S3_PATH_STYLE'] ?? '') },
  };
}

type Opening<Opened> = (
  path: string,
  flags: SourceFlags,
  session: Session,
  more?: Partial<OpenOptions>,
) => Promise<Opened>;

/** Opens what the user called that, and says of it what its name does not. @throws as `openSource` does */
export const openNamed: Opening<Source> = openedBy(openSource);

/** The same for commands that take NDJSON, too. */
export const openNamedDataset: Opening<DatasetSource> = openedBy(openDataset);

function openedBy<Opened extends DatasetSource>(
  open: (path: string, options: OpenOptions) => Promise<Opened>,
): Opening<Opened> {
  return async (path, flags, session, more = {}) => {
    session.sources.add(path, flags.prefer);
    const source = await open(path, { ...sourceOptionsOf(flags, session), ...more });
    tellSource(source, session);
    return source;
  };
}

/** Says of a source that was opened what its name does not: what was chosen, left out or taken off. */
function tellSource(source: DatasetSource, session: Session): void {
  const { path, choice, leftOut = [], packings = [], live } = source;
  if (live !== undefined) tellLive(path, live, session);
  if (choice !== '') session.note(printable(choice));
  for (const each of leftOut.slice(0, LEFT_OUT_LISTED)) session.note(printable(`${path}: not read: ${each}`));
  if (leftOut.length > LEFT_OUT_LISTED) {
    session.note(printable(`${path}: ${leftOut.length - LEFT_OUT_LISTED} more members are not read`));
  }
  if (packings.includes('vcs')) {
    const why = 'read by its published design: no server that writes it could be asked';
    session.note(printable(`${path}: a Valkey compressed stream, ${why}`));
  }
  if (packings.length > 0) {
    session.detail(printable(`${path}: ${packings.join(' in ')}; offsets and sizes are of the bytes inside`));
  }
}

/** What of a live source was not or could not be read, once it has been; standard error has heard of it by then. */
export function liveNotChecked({ live }: DatasetSource): readonly NotChecked[] {
  return live?.notChecked ?? [];
}

/** How a server was read, where that is not as one would expect. */
function tellLive(path: string, { via, because, nodes }: LiveOrigin, session: Session): void {
  const how = WAYS[via];
  if (because !== '') session.note(printable(`${path}: read by ${how}: ${because}`));
  else session.detail(printable(`${path}: read by ${how}`));
  if (nodes > 1) session.note(printable(`${path}: a cluster: read from its ${nodes} masters`));
  if (via !== 'sync') {
    const what = 'each key is as it was at some moment while it was read, and not all at the same';
    session.note(printable(`${path}: no snapshot: ${what}`));
  }
}

const WAYS = { sync: 'SYNC', dump: 'SCAN and DUMP', type: 'SCAN and the commands of each type' } as const;

const LEFT_OUT_LISTED = 5;
