import { UsageError } from '../errors.js';
import {
  convertIntoServer,
  type IntoServerOptions,
  type IntoServerReport,
} from '../tools/convert/into-server.js';
import type { DatasetSource } from '../tools/source.js';
import { type FilterFlags, isFiltered } from './filter-flags.js';
import { noteTold } from './render/convert.js';
import type { Json } from './render/json.js';
import { notCheckedJson } from './render/not-checked.js';
import { counted } from './render/numbers.js';
import { noteSent, sentJson, sentText } from './render/sent.js';
import { SEND_ONLY, type SendFlags, sendRequestOf } from './send-flags.js';
import type { Session } from './session.js';
import { liveNotChecked, openNamedDataset, type SourceFlags } from './source-flags.js';

/** Flags of `convert` that say something about a server as the output, or are of no use there. */
export interface ConvertServerFlags extends SourceFlags, SendFlags, FilterFlags {
  readonly to?: string;
  readonly split?: string;
  readonly vcs?: boolean;
  readonly compress?: string;
}

const FILES_ONLY = ['to', 'split', 'vcs', 'compress'] as const;

/** @throws UsageError for flags that are for a live server as the output, where it is none */
export function refuseSendFlags(flags: ConvertServerFlags): void {
  const lone = SEND_ONLY.find((name) => flags[name] !== undefined);
  if (lone === undefined) return;
  const dashed = lone.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new UsageError(`--${dashed} is for a live server as OUT`, 'give redis://host:port, or leave it out');
}

/** `convert` where the output is a live server. Returns the exit code. */
export async function convertToServer(
  inputs: readonly string[],
  url: string,
  flags: ConvertServerFlags,
  options: Omit<IntoServerOptions, 'send'>,
  session: Session,
): Promise<number> {
  const useless = FILES_ONLY.find((name) => flags[name] !== undefined);
  if (useless !== undefined) {
    throw new UsageError(`--${useless} is for files, and OUT is a live server`, 'leave it out');
  }
  const send = await sendRequestOf(url, 'OUT', flags, session, 'refuse');
  const sources: DatasetSource[] = [];
  for (const input of inputs) sources.push(await openNamedDataset(input, flags, session, { again: true }));
  const report = await convertIntoServer(sources, { ...options, send }, session.context);
  const { sent, duplicates } = report;
  const notChecked = sources.flatMap(liveNotChecked);
  if (session.settings.json)
    session.report({ ...reportJson(report, session), notChecked: notCheckedJson(notChecked) });
  else if (sent.refused) session.complain('nothing was written: --strict allows no loss');
  else session.print(`${sentText(sent)}\n`);
  noteSent(sent, options.conditions.expired, session);
  if (duplicates > 0)
    session.note(`${counted(duplicates, 'key')} left out: another of the same name is kept`);
  noteTold(report.told, session);
  const isEmpty = report.keys === 0 && isFiltered(flags);
  if (isEmpty) session.note('no key matches');
  return isEmpty || sent.refused || sent.surprises > 0 ? 1 : 0;
}

function reportJson(
  { sent, keys, duplicates, told }: IntoServerReport,
  session: Session,
): Record<string, Json> {
  return {
    ok: !sent.refused,
    keys,
    bytes: sent.bytes,
    form: 'server',
    for: sent.server,
    outputs: [],
    target: sentJson(sent, session),
    lost: sent.lost.map(({ database, key, what }) => ({
      db: database,
      key: key === null ? null : session.json(key),
      what,
    })),
    lostCount: sent.lostCount,
    duplicates,
    unrouted: 0,
    skipped: told.reduce((sum, each) => sum + (each?.skipped.length ?? 0), 0),
  };
}
