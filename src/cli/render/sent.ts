import type { KeyConditions } from '../../tools/filter.js';
import type { SendReport } from '../../tools/replay/send.js';
import type { Session } from '../session.js';
import { printable } from './escape.js';
import type { Json } from './json.js';
import { LOSS_WORDS } from './losses.js';
import { count, counted, size } from './numbers.js';

/** What became of keys on their way into a server, in a line. */
export function sentText(sent: SendReport): string {
  const parts = [`${counted(sent.written, 'key')} written`];
  if (sent.resumed > 0) parts.push(`${count(sent.resumed)} by an earlier run`);
  if (sent.kept > 0) parts.push(`${count(sent.kept)} there already and kept`);
  if (sent.functions > 0) parts.push(counted(sent.functions, 'function library', 'function libraries'));
  const nodes = sent.nodes === 1 ? '' : `, ${sent.nodes} masters`;
  return `${printable(sent.label)} (${sent.server}${nodes}): ${parts.join(', ')}, ${size(sent.bytes)}`;
}

/** What must be known about it, on standard error. */
export function noteSent(sent: SendReport, expiredWord: KeyConditions['expired'], session: Session): void {
  noteLosses(sent, sent.server, session);
  if (sent.expired > 0 && expiredWord !== 'drop') {
    session.note(
      `${counted(sent.expired, 'key')} past their TTL: the server drops them (--expired drop leaves them out)`,
    );
  }
  if (sent.functionsKept > 0) {
    session.note(
      `${counted(sent.functionsKept, 'function library', 'function libraries')} there already and kept`,
    );
  }
  if (sent.surprises > 0) {
    session.warn(
      `${counted(sent.surprises, 'key')} came to be there while the others were written, and stayed`,
    );
  }
  if (sent.kept === 0) return;
  session.warn(`${counted(sent.kept, 'key')} stayed as the target has them (--replace overwrites them):`);
  for (const { database, key } of sent.keptKeys.slice(0, 10)) {
    session.note(`  ${session.shown(key)}${database === 0 ? '' : ` in database ${database}`}`);
  }
  if (sent.kept > 10) session.note(`  and ${count(sent.kept - 10)} more (--json lists them)`);
}

/** What a server had no place for. */
export function noteLosses(
  output: Pick<SendReport, 'lost' | 'lostCount'>,
  target: string,
  session: Session,
): void {
  if (output.lostCount === 0) return;
  session.warn(`${target} has no place for ${counted(output.lostCount, 'thing')}:`);
  for (const { database, key, what } of output.lost.slice(0, 10)) {
    const of = key === null ? '' : `${session.shown(key)} in database ${database ?? 0}: `;
    session.note(`  ${of}${LOSS_WORDS[what]}`);
  }
  if (output.lostCount > 10) session.note(`  and ${count(output.lostCount - 10)} more (--json lists them)`);
}

export function sentJson(sent: SendReport, session: Session): Json {
  const { label, server, nodes, written, resumed, kept, keptKeys, surprises, expired } = sent;
  const { functions, functionsKept, bytes } = sent;
  return {
    ...{
      url: label,
      server,
      nodes,
      written,
      resumed,
      kept,
      surprises,
      expired,
      functions,
      functionsKept,
      bytes,
    },
    keptKeys: keptKeys.map(({ database, key }) => ({ db: database, key: session.json(key) })),
  };
}
