import { tmpdir } from 'node:os';
import type { InsideChange } from '../../tools/diff/changes.js';
import type { Difference, DiffListener, DiffReport } from '../../tools/diff.js';
import type { Session } from '../session.js';
import { printable } from './escape.js';
import { type Json, jsonLine, SCHEMA_VERSION } from './json.js';
import { noteLogFindings } from './log-findings.js';
import { LOSS_WORDS } from './losses.js';
import { count, counted, instant, leftOut, size } from './numbers.js';

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;
const LISTED = 10;
/** Characters of one text inside a value that are shown. */
const TEXT_MAX = 100;

/** Differences are printed so many characters at a time: each by itself costs more than all that is done to find it. */
const PRINTED_AT_ONCE = 32 * 1024;

/** Prints differences in the order they are found in: a line for people, an object with --json; the last of them at `flush`. */
export class DifferencePrinter implements DiffListener {
  private text = '';

  constructor(
    readonly silent: boolean,
    private readonly session: Session,
  ) {}

  difference(difference: Difference): void {
    const { session, silent } = this;
    if (silent) return;
    this.text += session.settings.json ? jsonOf(difference, session) : lineOf(difference, session);
    if (this.text.length >= PRINTED_AT_ONCE) this.flush();
  }

  flush(): void {
    if (this.text !== '') this.session.print(this.text);
    this.text = '';
  }

  get full(): boolean {
    return this.session.full;
  }

  drain(): Promise<void> {
    return this.session.drain();
  }
}

function lineOf(difference: Difference, session: Session): string {
  const { outStyle: style } = session;
  const paint = { added: style.green, removed: style.red, changed: style.yellow }[difference.op].bind(style);
  const sign = paint(SIGNS[difference.op]);
  if ('library' in difference) return `${sign} function library ${session.shown(difference.library)}\n`;
  const { database, key, kind, kindBefore, valueChanged, ttl, inside, op } = difference;
  const what: string[] = [];
  if (op === 'changed') {
    if (kindBefore !== null) what.push(`was a ${kindBefore}`);
    else if (valueChanged) what.push('value');
    if (ttl !== null) what.push(`TTL ${timeOf(ttl.before)} -> ${timeOf(ttl.after)}`);
  }
  const changes = what.length === 0 ? '' : `: ${what.join(', ')}`;
  const lines = [`${sign} db ${database} ${kind} ${session.shown(key)}${changes}\n`];
  for (const change of inside?.changes ?? []) lines.push(`    ${insideOf(change, session)}\n`);
  const more = (inside?.count ?? 0) - (inside?.changes.length ?? 0);
  if (more > 0) lines.push(`    and ${count(more)} more\n`);
  return lines.join('');
}

const timeOf = (ms: number | null): string => (ms === null ? 'none' : instant(ms));

function insideOf({ what, name, before, after }: InsideChange, session: Session): string {
  const shown = (text: string): string =>
    text.length > TEXT_MAX
      ? `${session.shown(text.slice(0, TEXT_MAX))}... (${size(text.length)})`
      : session.shown(text);
  const place =
    name === '' ? what : `${what} ${what === 'index' || what === 'entry' ? printable(name) : shown(name)}`;
  // A member of a set is its own value.
  if (before === '' && after === null) return `- ${place}`;
  if (after === '' && before === null) return `+ ${place}`;
  if (before === null) return `+ ${place}: ${shown(after!)}`;
  if (after === null) return `- ${place}: ${shown(before)}`;
  return `~ ${place}: ${shown(before)} -> ${shown(after)}`;
}

function jsonOf(difference: Difference, session: Session): string {
  if ('library' in difference) {
    return jsonLine({ op: difference.op, type: 'function', library: session.json(difference.library) });
  }
  const { op, database, key, kind, kindBefore, valueChanged, ttl, inside } = difference;
  const text = (value: string | null): Json => (value === null ? null : session.json(value));
  return jsonLine({
    op,
    db: database,
    key: session.json(key),
    type: kind,
    ...(op === 'changed' && { typeBefore: kindBefore ?? kind, value: valueChanged, ttl }),
    ...(inside !== null && {
      changes: inside.changes.map(({ what, name, before, after }) => ({
        what,
        name: session.json(name),
        before: text(before),
        after: text(after),
      })),
      changeCount: inside.count,
    }),
  });
}

/** The numbers, last. */
export function printSummary(report: DiffReport, session: Session): void {
  const { added, removed, changed, same, libraries, patch } = report;
  if (session.settings.json) {
    const lost = (patch?.lost ?? []).map(({ database, key, what }) => ({
      db: database,
      key: key === null ? null : session.json(key),
      what,
    }));
    session.print(
      jsonLine({
        summary: {
          schemaVersion: SCHEMA_VERSION,
          added,
          removed,
          changed,
          same,
          libraries,
          ...(patch !== null && { patch: patch.path, patchFor: patch.target, patchBytes: patch.bytes, lost }),
          notChecked: [],
        },
      }),
    );
    return;
  }
  const functions =
    libraries > 0 ? `, ${counted(libraries, 'function library', 'function libraries')} different` : '';
  const words = [`${count(added)} added`, `${count(removed)} removed`, `${count(changed)} changed`];
  session.print(`${words.join(', ')}, ${count(same)} the same${functions}\n`);
}

/** What a comparison will take, before it starts. */
export function noteMemory(session: Session): void {
  session.detail(
    `memory: 18 bytes for each key of either side, at most 48 for each that may differ, and some 100 MB; what is above ${size(session.settings.memoryBytes)} (--memory) goes to ${printable(tmpdir())}`,
  );
}

/** What must be known about the result, on standard error. */
export function noteDiff(report: DiffReport, session: Session): void {
  const { told, duplicates, patch, entryBytes, spilledBytes, tableBytes } = report;
  for (const each of told) {
    if (each === null) continue;
    noteLogFindings(each.findings, session);
    if (each.skipped.length > 0) {
      session.warn(`${leftOut(each.skipped.length)}; that side lacks what they did`);
    }
  }
  if (duplicates > 0)
    session.warn(`${counted(duplicates, 'key')} came twice on a side: the last of each counts`);
  session.detail(
    `hashes of all keys: ${size(entryBytes)}, ${size(spilledBytes)} on disk; keys that may differ: ${size(tableBytes)}`,
  );
  if (patch === null) return;
  session.note(
    `${printable(patch.path)}: the commands that turn the first side into the second, for ${patch.target}, ${size(patch.bytes)}`,
  );
  if (patch.lost.length === 0) return;
  session.warn(`${patch.target} has no place for ${counted(patch.lost.length, 'thing')}:`);
  for (const { database, key, what } of patch.lost.slice(0, LISTED)) {
    session.note(
      `  ${key === null ? '' : `${session.shown(key)} in database ${database ?? 0}: `}${LOSS_WORDS[what]}`,
    );
  }
}
