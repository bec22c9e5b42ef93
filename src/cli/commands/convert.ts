import type { OutputPacking } from '../../bytes/packing-target.js';
import { UsageError } from '../../errors.js';
import { isServerAddress } from '../../live/address.js';
import {
  CONVERT_FORMS,
  type ConvertForm,
  convertFormByName,
  isForServer,
  OUTPUT_PACKINGS,
  packingByName,
} from '../../tools/convert/forms.js';
import { type Split, splitOf } from '../../tools/convert/split.js';
import type { Rename, Transforms, TtlChange } from '../../tools/convert/transform.js';
import { type ConvertOptions, type ConvertReport, convert as convertSources } from '../../tools/convert.js';
import type { DatasetSource } from '../../tools/source.js';
import { targetNamed } from '../../tools/target-choice.js';
import type { CommandDefinition } from '../catalog.js';
import { type ConvertServerFlags, convertToServer, refuseSendFlags } from '../convert-server.js';
import { conditionsOf, type FilterFlags, filterOptions, gather } from '../filter-flags.js';
import { liveSourceOptions } from '../live-flags.js';
import { convertJson, noteConvert, printConvert } from '../render/convert.js';
import { sendOptions } from '../send-flags.js';
import type { Session } from '../session.js';
import { openNamedDataset, preferOption } from '../source-flags.js';
import { StdoutTarget } from '../stdout-target.js';
import { parseInstant, parseWord } from '../values.js';

interface ConvertFlags extends ConvertServerFlags, FilterFlags {
  readonly for?: string;
  readonly ttl?: string;
  readonly rename?: readonly string[];
  readonly mapDb?: readonly string[];
  readonly onDuplicate?: string;
  readonly onUnknown?: string;
}

export const convert: CommandDefinition = {
  define(command, launch) {
    command
      .usage('[options] SOURCE… OUT')
      .argument(
        '<paths...>',
        'files, directories, live servers (redis://…) or - for standard input, then where to write (- for standard output)',
      )
      .option('--to <form>', `what to write: ${CONVERT_FORMS.join(', ')} (default: by the ending of OUT)`)
      .option(
        '--for <server>',
        'write what that server loads: redis-6.2, valkey-8.1, … (default: who wrote the source)',
      )
      .option(
        '--ttl <change>',
        'strip, shift:SECONDS, or now:TIME (what was left when it was saved is left at TIME)',
      )
      .option(
        '--rename <re=text>',
        'rename keys: a regular expression, and what takes its place ($1, $&)',
        gather,
      )
      .option('--map-db <n=m>', 'put the keys of database N into M', gather)
      .option('--split <how>', 'write several outputs: slots:0-8191,8192-16383, count:N (by slot) or db')
      .option('--on-duplicate <rule>', 'a key that comes twice: error (default), first or last source wins')
      .option('--compress <how>', "gz, zst, lz4 or none (default: by OUT's ending: dump.rdb.gz)")
      .option('--vcs', "write an RDB as Valkey's compressed stream (no released server reads that yet)")
      .option(
        '--on-unknown <what>',
        'at a command of a log the engine does not know: stop (default) or skip',
      );
    sendOptions(command.optionsGroup('Into a live server (OUT is redis://…, rediss://… or unix://…):'));
    liveSourceOptions(filterOptions(preferOption(command.optionsGroup('Options:'))))
      .addHelpText('after', HELP)
      .action((paths: string[], flags: ConvertFlags) => launch((session) => run(paths, flags, session)));
  },
};

const HELP = `
Examples:
  rekindle convert dump.rdb dump.ndjson                       everything there is to know, a key a line
  rekindle convert dump.rdb old.rdb --for redis-6.2           what 6.2 loads; what it cannot hold is listed
  rekindle convert dump.rdb appendonlydir                     turn appendonly on without losing data
  rekindle convert dump.rdb redis://localhost:6379            into a running server; what it has is not touched
  rekindle convert redis://old:6379 redis://new:6379 --replace      from one server into another
  rekindle convert appendonlydir users.rdb --match 'user:*' --ttl strip
  rekindle convert dump.rdb part.rdb --split slots:0-5460,5461-10922,10923-16383
  rekindle convert a.rdb b.rdb all.rdb --on-duplicate last    merge

Forms: rdb; aof (one file); aofdir (a directory with a manifest); resp (commands alone); ndjson (reads back to the
byte, docs/ndjson.md); json (the same in one document); csv (a row for every element) and parquet (a row for every key),
which cannot be read back. OUT.gz, OUT.zst and OUT.lz4 are compressed: dump.ndjson.gz.`;

async function run(paths: readonly string[], flags: ConvertFlags, session: Session): Promise<number> {
  const { settings } = session;
  const path = paths.at(-1)!;
  const inputs = paths.slice(0, -1);
  if (inputs.length === 0) {
    throw new UsageError(
      'an output is missing',
      'rekindle convert SOURCE OUT: the last path is where to write',
    );
  }
  if (path === '-' && settings.json) {
    throw new UsageError(
      '--json prints a report where the output would go',
      'give OUT a path, or leave out --json',
    );
  }
  if (path === '-' && settings.conceal !== null) {
    throw new UsageError('--redact hides what is told of a dataset, not the dataset', 'leave it out');
  }
  if (isServerAddress(path))
    return convertToServer(inputs, path, flags, sharedOptionsOf(flags, session), session);
  refuseSendFlags(flags);
  const options = optionsOf(path, flags, session);
  const sources: DatasetSource[] = [];
  const again = options.split?.kind === 'db';
  for (const input of inputs) sources.push(await openNamedDataset(input, flags, session, { again }));
  const report = await convertSources(sources, options, session.context);
  if (settings.json) session.report(convertJson(report, session));
  else printConvert(report, session);
  noteConvert(report, session);
  return exitCodeOf(report);
}

function exitCodeOf({ published, keys, unmatched }: ConvertReport): number {
  return published && (keys > 0 || unmatched.length === 0) ? 0 : 1;
}

function optionsOf(path: string, flags: ConvertFlags, session: Session): ConvertOptions {
  const { settings } = session;
  const form: ConvertForm =
    flags.to === undefined ? convertFormByName(path) : parseWord(flags.to, '--to', CONVERT_FORMS);
  if (path === '-' && form === 'aofdir') {
    throw new UsageError('a directory cannot go to standard output', 'give a path, or --to aof');
  }
  if (flags.for !== undefined && !isForServer(form)) {
    throw new UsageError(`--for says which server loads the output, and none loads ${form}`, 'leave it out');
  }
  if (flags.vcs === true && form !== 'rdb') {
    throw new UsageError(`--vcs is a form of RDBs, not of ${form}`, 'leave it out');
  }
  const packing = packingFor(path, form, flags);
  const split = splitFor(path, flags);
  return {
    path,
    form,
    target: flags.for === undefined ? null : targetNamed(flags.for, '--for'),
    ...sharedOptionsOf(flags, session),
    split,
    compressedStream: flags.vcs === true,
    packing,
    force: settings.force,
    refuseLoss: settings.strict,
    stream: path === '-' ? new StdoutTarget(session) : null,
  };
}

/** What holds for files and servers alike. */
function sharedOptionsOf(flags: ConvertFlags, session: Session) {
  return {
    conditions: conditionsOf(flags),
    transforms: transformsOf(flags),
    onDuplicate: parseWord(flags.onDuplicate ?? 'error', '--on-duplicate', ['first', 'last', 'error']),
    dialect: session.settings.dialect,
    onUnknown: parseWord(flags.onUnknown ?? 'stop', '--on-unknown', ['stop', 'skip']),
    shown: (name: string) => session.shown(name),
  };
}

function packingFor(path: string, form: ConvertForm, { compress, vcs }: ConvertFlags): OutputPacking | null {
  const endings = Object.keys(OUTPUT_PACKINGS);
  const word = compress === undefined ? null : parseWord(compress, '--compress', [...endings, 'none']);
  const packing = word === null ? packingByName(path) : (OUTPUT_PACKINGS[word] ?? null);
  if (packing === null) return null;
  if (form === 'aofdir') {
    throw new UsageError('a directory is not compressed', 'give --to aof, or pack it with tar');
  }
  if (vcs === true) {
    throw new UsageError('--vcs writes a compressed stream already', 'leave out --vcs, or name OUT.rdb');
  }
  return packing;
}

function splitFor(path: string, { split }: ConvertFlags): Split | null {
  if (split === undefined) return null;
  if (path === '-')
    throw new UsageError('--split writes several outputs, and there is one standard output', 'give a path');
  return splitOf(split);
}

function transformsOf({ ttl, rename = [], mapDb = [] }: ConvertFlags): Transforms {
  return {
    ttl: ttl === undefined ? null : ttlChangeOf(ttl),
    rename: rename.map(renameOf),
    databases: new Map(mapDb.map(databaseOf)),
  };
}

function ttlChangeOf(text: string): TtlChange {
  if (text === 'strip') return { kind: 'strip' };
  const [, kind, value] = /^(shift|now):(.+)$/.exec(text) ?? [];
  if (kind === 'now') return { kind, ms: parseInstant(value!, '--ttl now') };
  if (kind === 'shift' && /^[+-]?\d{1,12}(\.\d{1,3})?$/.test(value!))
    return { kind, ms: Math.round(Number(value) * 1000) };
  throw new UsageError(
    `--ttl: '${text}' is no change of TTLs`,
    'give strip, shift:SECONDS (shift:-3600) or now:TIME',
  );
}

/** `REGEX=REPL`; the last `=` parts them, so that an expression may hold some. */
function renameOf(text: string): Rename {
  const at = text.lastIndexOf('=');
  if (at < 1) throw new UsageError(`--rename: '${text}' has no REGEX=REPL`, "give --rename '^old:=new:'");
  try {
    return { pattern: new RegExp(text.slice(0, at), 'gu'), replacement: text.slice(at + 1) };
  } catch (error) {
    throw new UsageError(
      `--rename: '${text.slice(0, at)}' is not a regular expression`,
      (error as Error).message,
    );
  }
}

const DATABASE_MAX = 0x7fff_fffe;

function databaseOf(text: string): readonly [number, number] {
  const [, from, to] = /^(\d{1,10})=(\d{1,10})$/.exec(text) ?? [];
  if (from === undefined || Number(from) > DATABASE_MAX || Number(to) > DATABASE_MAX) {
    throw new UsageError(`--map-db: '${text}' has no N=M`, 'give --map-db 3=0');
  }
  return [Number(from), Number(to)];
}
