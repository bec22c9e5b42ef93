import { saidIn, timeIn } from './log-lines.js';
import type { DataRisk, MessageSeverity, Saying, ServerMessage } from './message.js';
import { type Likeness, likest, type Recognised, recognise } from './recognise.js';

/** A message that was found, with what it tells here. */
export interface Diagnosis {
  readonly message: ServerMessage;
  readonly saying: Saying;
  /** What stood in the line, and in the lines around it: file, offset, version, …. */
  readonly captures: Readonly<Record<string, string>>;
  /** The line, cut to a length that can be shown. */
  readonly text: string;
  /** Where it was found last, counted from 1 in its log. */
  readonly line: number;
  /** The log of a directory that it was found in; null where only one was read. */
  readonly log: string | null;
  /** As the line tells it; '' when it does not. */
  readonly time: string;
  readonly count: number;
  /** Whether the last run of the server said it; true where no start was seen. */
  readonly inLastRun: boolean;
}

export interface UnknownLine {
  readonly text: string;
  readonly line: number;
  readonly nearest: readonly Likeness[];
}

const SHOWN_MAX = 400;
const UNKNOWN_MAX = 20;
/** Lines apart that still speak of the same thing. */
const NEAR = 20;
const RANK: Readonly<Record<MessageSeverity, number>> = { fatal: 0, error: 1, warning: 2, info: 3 };

const RISK: Readonly<Record<DataRisk, number>> = { lost: 0, 'at-risk': 1, none: 2 };

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Gathers what the lines of a server mean: each message once, with what stood around it. */
export class Diagnoses {
  linesRead = 0;
  private log: string | null = null;
  private linesBefore = 0;
  linesKnown = 0;
  /** The data directory, where a line names it. */
  directory: string | null = null;
  readonly versions: Record<string, string | undefined> = {};
  readonly unknown: UnknownLine[] = [];
  private readonly found = new Map<ServerMessage, Mutable<Diagnosis>>();
  private around: Record<string, string> = {};
  private aroundLine = 0;

  /** `listsUnknown`: lines in which nothing is recognised are kept, with what they look like. */
  constructor(private readonly listsUnknown: boolean) {}

  /** The lines to come are of this log. */
  nextLog(log: string): void {
    this.log = log;
    this.linesBefore = this.linesRead;
  }

  line(text: string): void {
    this.linesRead++;
    let isKnown = false;
    for (const said of saidIn(text)) isKnown = this.said(said, text) || isKnown;
    if (isKnown) this.linesKnown++;
    else this.unrecognised(text);
  }

  /** The worst first; what stands around others only where nothing else was found. */
  sorted(): Diagnosis[] {
    const all = [...this.found.values()];
    const plain = all.filter(({ message }) => message.role === undefined);
    const grave = plain.filter(({ message }) => message.severity !== 'info');
    const general = all.filter(({ message }) => message.role === 'general');
    const isReason = ({ message, inLastRun }: Diagnosis) =>
      inLastRun && (message.severity === 'fatal' || message.severity === 'error');
    const shell = grave.some(isReason) ? [] : general;
    const told = [...grave, ...shell];
    const chosen = told.length > 0 ? told : plain.length > 0 ? plain : all;
    const inLastRun = ({ inLastRun }: Diagnosis) => (inLastRun ? 0 : 1);
    return chosen.sort(
      (a, b) =>
        inLastRun(a) - inLastRun(b) ||
        RANK[a.message.severity] - RANK[b.message.severity] ||
        RISK[a.message.risk] - RISK[b.message.risk] ||
        a.line - b.line,
    );
  }

  private said(said: string, whole: string): boolean {
    const all = recognise(said);
    if (all.length === 0) return false;
    if (all.some(({ message }) => message.role === 'start')) this.newRun();
    const specific = all.find(({ message }) => message.role === undefined);
    for (const each of all) {
      if (each !== specific && each.message.role !== undefined) this.remember(each.captures);
    }
    const best = specific ?? all[0]!;
    this.add(best, said, timeIn(whole));
    return true;
  }

  private newRun(): void {
    this.around = {};
    for (const diagnosis of this.found.values()) diagnosis.inLastRun = false;
  }

  private remember(captures: Recognised['captures']): void {
    if (this.linesRead - this.aroundLine > NEAR) this.around = {};
    this.aroundLine = this.linesRead;
    Object.assign(this.around, captures);
    for (const name of ['serverVersion', 'valkeyVersion', 'keydbVersion']) {
      if (captures[name] !== undefined) this.versions[name] = captures[name];
    }
  }

  private add({ message, saying, captures }: Recognised, said: string, time: string): void {
    const around = this.linesRead - this.aroundLine <= NEAR ? this.around : {};
    const { dir } = captures;
    if (dir?.startsWith('/')) this.directory = dir;
    const before = this.found.get(message);
    this.found.set(message, {
      message,
      saying,
      captures: { ...around, ...captures },
      text: said.length > SHOWN_MAX ? `${said.slice(0, SHOWN_MAX)}…` : said,
      line: this.linesRead - this.linesBefore,
      log: this.log,
      time,
      count: (before?.count ?? 0) + 1,
      inLastRun: true,
    });
  }

  private unrecognised(text: string): void {
    const said = saidIn(text).join(' ');
    if (said === '' || !this.listsUnknown || this.unknown.length === UNKNOWN_MAX) return;
    this.unknown.push({
      text: said.length > SHOWN_MAX ? `${said.slice(0, SHOWN_MAX)}…` : said,
      line: this.linesRead,
      nearest: likest(said, 3),
    });
  }
}
