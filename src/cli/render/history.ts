import { formatId } from '../../model/stream-id.js';
import type { ValueChanges } from '../../tools/history/changes.js';
import type { KeyState } from '../../tools/history/sight.js';
import { expiryChange, type HistoryEnd, type HistoryEntry } from '../../tools/history.js';
import type { Session } from '../session.js';
import { printable } from './escape.js';
import { type Json, jsonLine } from './json.js';
import { noteLogFindings } from './log-findings.js';
import { count, counted, instant, leftOut } from './numbers.js';
import {
  entryText,
  expiryText,
  fieldText,
  groupText,
  kindText,
  type Show,
  scoreText,
  shownText,
  valueLines,
} from './value.js';
import { ValueJson } from './value-json.js';

/** Arguments of a command that are shown. */
const ARGUMENTS_MAX = 16;
const ARGUMENT_BYTES = 64;

/** One change as people read it: where and by what, then the difference. */
export function historyText(entry: HistoryEntry, elementsMax: number, session: Session): string {
  const { outStyle: style } = session;
  const show: Show = (latin1) => session.shown(latin1);
  const { file, offset, number, timeMs, database, key, op, before, after } = entry;
  const place =
    offset === null ? `${printable(file)}  base` : `${printable(file)}:${offset}  command ${count(number)}`;
  const time = timeMs === null ? '' : `  ${instant(timeMs)}`;
  const by = entry.args.length === 0 ? '' : `  ${commandText(entry.args, show)}`;
  const caller = entry.caller === null ? '' : `  from ${commandText(entry.caller, show)}`;
  const inside = entry.transaction === null ? '' : '  in a transaction';
  const lines = [`${style.bold(`${place}${time}`)}${inside}${by}${caller}`];
  const words = { base: 'is there', created: 'created', changed: 'changed', removed: 'removed' };
  lines.push(`  ${words[op]} ${shownText(key, show)} in db ${database}: ${statesText(before, after)}`);
  const differences = differenceLines(entry, elementsMax, show);
  for (const { sign, text } of differences) {
    const paint = sign === '+' ? style.green : sign === '-' ? style.red : style.yellow;
    lines.push(`    ${paint(sign)} ${text}`);
  }
  return `${lines.join('\n')}\n`;
}

/** A command on one line, long ones cut. */
export function commandText(args: readonly Buffer[], show: Show): string {
  const [name, ...rest] = args;
  const shown = [printable(name!.latin1Slice())];
  for (const arg of rest.slice(0, ARGUMENTS_MAX)) shown.push(shownText(arg, show, ARGUMENT_BYTES));
  if (rest.length > ARGUMENTS_MAX) shown.push(`… (${counted(rest.length, 'argument')})`);
  return shown.join(' ');
}

function statesText(before: KeyState | null, after: KeyState | null): string {
  const text = (state: KeyState): string => kindText(state.kind, state.size);
  if (before === null || after === null) {
    const state = (before ?? after)!;
    return `${text(state)}${state.expiresAtMs === null ? '' : `, expires ${expiryText(state.expiresAtMs)}`}`;
  }
  return text(before) === text(after) ? text(after) : `${text(before)} → ${text(after)}`;
}

interface Line {
  readonly sign: '+' | '-' | '~';
  readonly text: string;
}

/** What was taken out, put in and changed, line by line, at most `max` of each. */
function differenceLines(entry: HistoryEntry, max: number, show: Show): Line[] {
  const { before, after, changes } = entry;
  const lines: Line[] = [];
  const put = <T>(sign: Line['sign'], items: readonly T[], text: (item: T) => string): void => {
    for (const item of items.slice(0, max)) lines.push({ sign, text: text(item) });
    if (items.length > max) lines.push({ sign, text: `… and ${count(items.length - max)} more` });
  };
  if (changes?.kind === 'whole') {
    whole('-', before, max, show, lines);
    whole('+', after, max, show, lines);
  } else if (changes !== null) {
    inside(changes, put, (bytes) => shownText(bytes, show));
  }
  const expiry = expiryChange(entry);
  if (expiry !== null) {
    lines.push({ sign: '~', text: `expires ${expiryText(expiry.before)} → ${expiryText(expiry.after)}` });
  }
  return lines;
}

function whole(sign: '+' | '-', state: KeyState | null, max: number, show: Show, lines: Line[]): void {
  if (state === null || state.value === null) return;
  const all = valueLines(state.value, show);
  for (let i = 0; i < Math.min(max, all.length); i++) lines.push({ sign, text: all.line(i) });
  if (all.length > max) lines.push({ sign, text: `… and ${count(all.length - max)} more` });
}

type Put = <T>(sign: Line['sign'], items: readonly T[], text: (item: T) => string) => void;

function inside(changes: ValueChanges, put: Put, text: (bytes: Buffer) => string): void {
  switch (changes.kind) {
    case 'whole':
      return;
    case 'list':
      for (const { index, removed, inserted } of changes.splices) {
        put('-', [...removed.entries()], ([i, element]) => `${index + i}  ${text(element)}`);
        put('+', [...inserted.entries()], ([i, element]) => `${index + i}  ${text(element)}`);
      }
      return;
    case 'set':
      put('-', changes.removed, text);
      put('+', changes.added, text);
      return;
    case 'zset':
      put('-', changes.removed, ({ member, score }) => `${scoreText(score)}  ${text(member)}`);
      put('+', changes.added, ({ member, score }) => `${scoreText(score)}  ${text(member)}`);
      put('~', changes.changed, ({ before, after }) => {
        return `${scoreText(before.score)} → ${scoreText(after.score)}  ${text(after.member)}`;
      });
      return;
    case 'hash':
      put('-', changes.removed, (field) => fieldText(field, text));
      put('+', changes.added, (field) => fieldText(field, text));
      put('~', changes.changed, ({ before, after }) => {
        const value = before.value.equals(after.value)
          ? ''
          : `  ${text(before.value)} → ${text(after.value)}`;
        const expiry =
          before.expiresAtMs === after.expiresAtMs
            ? ''
            : `  expires ${expiryText(before.expiresAtMs)} → ${expiryText(after.expiresAtMs)}`;
        return `${text(after.name)}${value}${expiry}`;
      });
      return;
    case 'array':
      put('-', changes.removed, ({ index, value }) => `${index}  ${text(value)}`);
      put('+', changes.added, ({ index, value }) => `${index}  ${text(value)}`);
      put('~', changes.changed, ({ before, after }) => {
        return `${after.index}  ${text(before.value)} → ${text(after.value)}`;
      });
      return;
    case 'stream':
      streamLines(changes, put, text);
  }
}

function streamLines(
  { added, removed, trimmed, meta, groups }: Extract<ValueChanges, { kind: 'stream' }>,
  put: Put,
  text: (bytes: Buffer) => string,
): void {
  put('-', removed, (id) => formatId(id));
  if (trimmed !== null) {
    put('-', [trimmed], () => {
      return `${counted(trimmed.count, 'entry', 'entries')} before ${formatId(trimmed.before)}`;
    });
  }
  put('+', added, (entry) => entryText(entry, text));
  if (meta !== null && added.length + removed.length === 0 && trimmed === null) {
    put('~', [meta], () => `last id ${formatId(meta.lastId)}, ${count(meta.entriesAdded)} added`);
  }
  put('~', groups, ({ name, before, after }) => {
    if (after === null) return `group ${text(name)} destroyed`;
    return `${before === null ? 'new ' : ''}${groupText(after, text)}`;
  });
}

/** One change as a line of JSON. */
export function historyJson(entry: HistoryEntry, elementsMax: number, session: Session): string {
  const json = new ValueJson((latin1) => session.json(latin1), elementsMax);
  const { op, database, key, file, offset, length, number, timeMs, transaction, args, caller } = entry;
  return jsonLine({
    op,
    db: database,
    key: json.bytes(key),
    type: (entry.after ?? entry.before)!.kind,
    file,
    offset,
    bytes: length,
    command: number,
    time: timeMs === null ? null : timeMs / 1000,
    transaction,
    args: argumentsJson(args, json),
    ...(caller === null ? {} : { caller: argumentsJson(caller, json) }),
    before: stateJson(entry.before, json),
    after: stateJson(entry.after, json),
    changes: entry.changes === null ? null : changesJson(entry.changes, json),
  });
}

/** The name of a command is no secret. */
function argumentsJson(args: readonly Buffer[], json: ValueJson): Json {
  return args.map((arg, i) => (i === 0 ? arg.latin1Slice() : json.bytes(arg)));
}

function stateJson(state: KeyState | null, json: ValueJson): Json {
  if (state === null) return null;
  const { kind, size, expiresAtMs, value } = state;
  return {
    type: kind,
    size: size < 0 ? null : size,
    expiresAtMs,
    value: value === null ? null : json.value(value),
  };
}

function changesJson(changes: ValueChanges, json: ValueJson): Json {
  switch (changes.kind) {
    case 'whole':
      return { kind: 'whole' };
    case 'list':
      return {
        kind: 'list',
        splices: changes.splices.map(({ index, removed, inserted }) => ({
          index,
          removedCount: removed.length,
          removed: json.list(removed, json.text),
          insertedCount: inserted.length,
          inserted: json.list(inserted, json.text),
        })),
      };
    case 'set':
      return counts(changes, json, json.text);
    case 'zset':
      return counts(changes, json, json.member);
    case 'hash':
      return counts(changes, json, json.field);
    case 'array':
      return { ...counts(changes, json, json.element), cursor: changes.cursor };
    case 'stream':
      return {
        kind: 'stream',
        addedCount: changes.added.length,
        added: json.list(changes.added, json.entry),
        removedCount: changes.removed.length,
        removed: json.list(changes.removed, (id) => formatId(id)),
        trimmed:
          changes.trimmed === null
            ? null
            : { before: formatId(changes.trimmed.before), count: changes.trimmed.count },
        groups: changes.groups.map(({ name, before, after }) => ({
          name: json.bytes(name),
          before: before === null ? null : json.group(before),
          after: after === null ? null : json.group(after),
        })),
      };
  }
}

function counts<T>(
  changes: {
    readonly kind: string;
    readonly added: readonly T[];
    readonly removed: readonly T[];
    readonly changed?: readonly { readonly before: T; readonly after: T }[];
  },
  json: ValueJson,
  item: (item: T) => Json,
): Readonly<Record<string, Json>> {
  const { kind, added, removed, changed } = changes;
  return {
    kind,
    addedCount: added.length,
    added: json.list(added, item),
    removedCount: removed.length,
    removed: json.list(removed, item),
    ...(changed === undefined
      ? {}
      : {
          changedCount: changed.length,
          changed: json.list(changed, ({ before, after }) => ({ before: item(before), after: item(after) })),
        }),
  };
}

/** What must be known about the list, on standard error. */
export function noteHistory(end: HistoryEnd, entries: number, keys: number, session: Session): void {
  session.note(
    `${counted(entries, 'change')} to ${counted(keys, 'key')} in ${counted(end.applied, 'command')}`,
  );
  if (!end.matched) {
    session.warn('no command matches --before: this is everything up to the end of the log');
  }
  noteLogFindings(end.findings, session);
  if (end.skipped.length > 0) {
    const what = leftOut(end.skipped.length);
    session.warn(`${what}: what they did to the keys is not told`);
  }
}
