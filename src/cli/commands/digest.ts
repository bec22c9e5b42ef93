import type { KeyHead } from '../../model/handler.js';
import { type DigestReport, digest as digestSource, type KeyListener } from '../../tools/digest.js';
import { serverNamed } from '../../tools/family.js';
import type { CommandDefinition } from '../catalog.js';
import { conditionsOf, type FilterFlags, filterOptions } from '../filter-flags.js';
import { liveSourceOptions } from '../live-flags.js';
import { printable } from '../render/escape.js';
import { jsonLine, SCHEMA_VERSION } from '../render/json.js';
import { noteLogFindings } from '../render/log-findings.js';
import { notCheckedJson, noteNotChecked } from '../render/not-checked.js';
import { counted } from '../render/numbers.js';
import type { Session } from '../session.js';
import { openNamedDataset, preferOption, type SourceFlags } from '../source-flags.js';

interface DigestFlags extends SourceFlags, FilterFlags {
  readonly as?: string;
  readonly perKey?: boolean;
}

export const digest: CommandDefinition = {
  define(command, launch) {
    command
      .usage('[options] SOURCE')
      .argument('<source>', 'a file, a directory, a live server (redis://…), or - for standard input')
      .option(
        '--as <server>',
        'as that server prints it: redis-7.0, valkey-9.1, … (default: who wrote the file)',
      )
      .option('--per-key', 'before the digest one line per key: db key type DEBUG-DIGEST-VALUE');
    liveSourceOptions(filterOptions(preferOption(command)))
      .addHelpText('after', HELP)
      .action((source: string, flags: DigestFlags) => launch((session) => run(source, flags, session)));
  },
};

const HELP = `
Examples:
  rekindle digest dump.rdb                         compare with redis-cli DEBUG DIGEST
  rekindle digest /var/lib/redis --as redis-7.0    what a 7.0 server would print
  rekindle digest dump.rdb --per-key --match 'user:*'
  rekindle digest redis://localhost:6379           of a fresh snapshot of a running server

Servers up to Redis 7.0 print sorted-set scores with 17 digits, later ones with as few as needed, and Redis 7.4
counts field TTLs: digests compare within one family only. Standard error says which one was taken and why.
Exit code 1: there are keys, and none of them passes the filters.`;

async function run(path: string, flags: DigestFlags, session: Session): Promise<number> {
  const { settings } = session;
  const options = {
    as: flags.as === undefined ? null : serverNamed(flags.as, '--as'),
    conditions: conditionsOf(flags),
    dialect: settings.dialect,
    keys: flags.perKey === true ? keyPrinter(session) : null,
  };
  const source = await openNamedDataset(path, flags, session);
  const report = await digestSource(source, options, session.context);
  if (settings.json) printJson(report, flags.perKey === true, session);
  else session.print(`${report.digest}\n`);
  noteDigest(report, session);
  noteLogFindings(report.findings, session);
  noteNotChecked(report.notChecked, session);
  if (report.unmatched) {
    session.warn(`no key of ${printable(source.path)} matches`);
    return 1;
  }
  return settings.strict && report.findings.length > 0 ? 1 : 0;
}

/** Prints one line a key, or one object a key. */
function keyPrinter(session: Session): KeyListener {
  const print = session.settings.json
    ? (head: KeyHead, name: string, digest: string | null) =>
        jsonLine({ db: head.database, key: session.json(name), type: head.kind, digest })
    : (head: KeyHead, name: string, digest: string | null) =>
        `${head.database} ${session.shown(name)} ${head.kind} ${digest ?? '-'}\n`;
  return {
    key: (head, digest) => session.print(print(head, head.key.latin1(), digest)),
    get full() {
      return session.full;
    },
    drain: () => session.drain(),
  };
}

function printJson(report: DigestReport, stream: boolean, session: Session): void {
  const { digest, keys, expired, negativeZeros, chosen } = report;
  const fields = {
    digest,
    keys,
    as: chosen.name,
    because: chosen.because,
    expired,
    negativeZeros,
    notChecked: notCheckedJson(report.notChecked),
  };
  if (stream) session.print(jsonLine({ summary: { schemaVersion: SCHEMA_VERSION, ...fields } }));
  else session.report(fields);
}

/** What must be known to compare the digest with another. */
function noteDigest(report: DigestReport, session: Session): void {
  const { chosen, keys, expired, negativeZeros } = report;
  session.note(
    `digest of ${counted(keys, 'key')} in the form of ${printable(chosen.name)} (${chosen.because})`,
  );
  if (expired > 0) {
    session.note(
      `${counted(expired, 'key')} past the TTL, counted as a server does until it removes them (--expired drop leaves them out)`,
    );
  }
  if (negativeZeros > 0) {
    session.note(
      `${counted(negativeZeros, 'score')} of -0: a server's digest depends on the encoding it holds them in`,
    );
  }
}
