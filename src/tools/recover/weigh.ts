import { singleFileSet } from '../../aof/set.js';
import { InputError } from '../../errors.js';
import { FINDINGS, type Finding } from '../../model/finding.js';
import type { DialectName } from '../../rdb/dialect.js';
import { checkFile } from '../check/file.js';
import { withoutGrowingTail } from '../check/growing-tail.js';
import type { ToolContext } from '../context.js';
import { ProducerAux, type Server } from '../family.js';
import { info } from '../info.js';
import type { NotChecked } from '../report.js';
import { type Content, ContentSource, prefixOf } from './content.js';
import type { FoundFile } from './directory.js';
import { type Mending, mendFile } from './mend.js';

/**
 * `intact`: nothing is wrong. `torn`: its end is missing, as after a crash. `damaged`: something before its end is wrong.
 * `empty`: of no bytes. `unread`: could not be opened, or changed while it was read. `foreign`: of no format known here.
 */
export type CandidateState = 'intact' | 'torn' | 'damaged' | 'empty' | 'unread' | 'foreign';

/** A file that may hold data, and what it is worth. */
export interface Candidate extends FoundFile {
  readonly state: CandidateState;
  /** Errors first to last; warnings are among them. */
  readonly findings: readonly Finding[];
  /** The first error. */
  readonly damage: Finding | null;
  /** Bytes from the start after which nothing is wrong and no transaction is open. */
  readonly validBytes: number;
  /** What is taken of it by a way that leads to a state which was; null: none that does can take it. */
  readonly content: Content | null;
  /** Everything that reads of it. */
  readonly salvaged: Content | null;
  /** Whether an RDB stands at its start, and all of it is whole. */
  readonly hasRdb: boolean;
  readonly rdbIsWhole: boolean;
  /** Keys of that RDB; null without one. */
  readonly rdbKeys: number | null;
  /** Whole commands in its valid bytes; 0 for an RDB. */
  readonly commands: number;
  /** Whole commands behind the first damage; null: nobody can tell. */
  readonly commandsBehind: number | null;
  /** The highest database that the RDB has keys in; -1: none. */
  readonly lastDatabase: number;
  readonly producer: Server | null;
  /** When the RDB says it was saved, in milliseconds since the epoch. */
  readonly savedAtMs: number | null;
  /** The first and last annotation before the first damage. */
  readonly firstTimeMs: number | null;
  readonly lastTimeMs: number | null;
}

export interface Weighed {
  readonly candidates: readonly Candidate[];
  readonly notChecked: readonly NotChecked[];
  /** Whether a file of the log went or was replaced before it was read. */
  readonly isStale: boolean;
}

export interface WeighOptions {
  readonly dialect: DialectName | null;
}

/** Checks every file to its end. A file that vanishes or is replaced meanwhile is told as unread. */
export async function weigh(
  files: readonly FoundFile[],
  options: WeighOptions,
  context: ToolContext,
): Promise<Weighed> {
  const candidates: Candidate[] = [];
  const notChecked: NotChecked[] = [];
  let isStale = false;
  for (const file of files) {
    try {
      const { candidate, unchecked } = await weighFile(file, options, context);
      candidates.push(candidate);
      notChecked.push(...unchecked);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      isStale ||= MEMBERS.has(file.kind) && /^input\/(missing|changed)$/.test(error.code);
      candidates.push({ ...unweighed({ ...file, unread: 'unreadable', source: null }, 'unread') });
      notChecked.push({ path: file.path, what: 'the file', why: error.message, routine: false });
    }
  }
  return { candidates, notChecked, isStale };
}

async function weighFile(
  file: FoundFile,
  options: WeighOptions,
  context: ToolContext,
): Promise<{ candidate: Candidate; unchecked: readonly NotChecked[] }> {
  const { source, form } = file;
  const plain = (state: CandidateState) => ({ candidate: unweighed(file, state), unchecked: [] });
  if (source === null) return plain('unread');
  if (form === 'empty') return plain('empty');
  if (form === 'packed') return plain('foreign');
  if (file.kind === 'manifest' || file.kind === 'temporary-manifest' || form === 'manifest')
    return plain('intact');
  const isMember = MEMBERS.has(file.kind);
  if (form === 'unknown' && !isMember && file.kind !== 'rdb') return plain('foreign');

  const isLog = form === 'aof' || (form !== 'rdb' && file.kind !== 'rdb') || isMember;
  const { dialect } = options;
  const asked = { form: isLog ? 'aof' : 'rdb', last: true, quick: false, dialect } as const;
  const result = await checkFile(source, asked, context);
  const { findings, keys, commands } = await withoutGrowingTail(result.file, source);
  const damage = findings.find(({ code }) => FINDINGS[code] === 'error') ?? null;
  const mending = damage === null ? intact(file) : await mendFile(file, isLog, options, context);
  const facts = await factsOf(file, mending.cut, context);
  const all = commands ?? 0;
  const candidate: Candidate = {
    ...file,
    state: stateOf(damage),
    findings,
    damage,
    validBytes: damage === null ? file.bytes : result.file.validBytes,
    content: mending.cut,
    salvaged: mending.salvaged,
    hasRdb: keys !== null,
    rdbIsWhole: keys !== null && (mending.cut !== null || !isRdbDamage(damage)),
    rdbKeys: mending.salvaged.salvagedKeys ?? keys,
    commandsBehind: Math.max(0, all - facts.commands),
    ...facts,
  };
  return { candidate, unchecked: result.notChecked };
}

/** Files that servers read as logs, whatever is in them. */
const MEMBERS: ReadonlySet<FoundFile['kind']> = new Set([
  'base',
  'increment',
  'history',
  'single-log',
  'stray-base',
  'stray-increment',
]);

const isRdbDamage = (damage: Finding | null): boolean => damage?.code.startsWith('rdb/') === true;

function intact(file: FoundFile): Mending {
  const content = prefixOf(file.bytes);
  return { cut: content, salvaged: content };
}

function stateOf(damage: Finding | null): CandidateState {
  if (damage === null) return 'intact';
  const torn = ['aof/torn-tail', 'aof/open-transaction', 'rdb/truncated', 'aof/truncated'];
  return torn.includes(damage.code) ? 'torn' : 'damaged';
}

function unweighed(file: FoundFile, state: CandidateState): Candidate {
  return {
    ...file,
    state,
    findings: [],
    damage: null,
    validBytes: file.bytes,
    content: state === 'empty' ? prefixOf(0) : null,
    salvaged: state === 'empty' ? prefixOf(0) : null,
    hasRdb: false,
    rdbIsWhole: false,
    rdbKeys: null,
    commands: 0,
    commandsBehind: 0,
    lastDatabase: -1,
    producer: null,
    savedAtMs: null,
    firstTimeMs: null,
    lastTimeMs: null,
  };
}

type Facts = Pick<
  Candidate,
  'lastDatabase' | 'producer' | 'savedAtMs' | 'firstTimeMs' | 'lastTimeMs' | 'commands'
>;

/**
 * A quick pass over what is taken of it, for what the check does not tell: who wrote the file, when, and how much of it.
 * Of what cannot be taken, over all of it, as far as it goes.
 */
async function factsOf(file: FoundFile, content: Content | null, context: ToolContext): Promise<Facts> {
  const taken = content === null ? file.source! : new ContentSource(file.source!, content, context);
  const common = { path: file.path, choice: '', isDirectory: false } as const;
  const report = await info(
    { ...common, kind: 'aof', set: await singleFileSet(taken) },
    { dialect: null },
    context,
  );
  const only = report.files[0];
  const aux = new ProducerAux();
  for (const { name, value } of only?.rdb?.auxFields ?? []) aux.take(name, value);
  const { firstSeconds = null, lastSeconds = null, commands = 0 } = only?.log ?? {};
  return {
    lastDatabase: Math.max(-1, ...(only?.rdb?.databases.keys() ?? [])),
    producer: aux.server,
    savedAtMs: aux.savedAtMs,
    firstTimeMs: firstSeconds === null ? null : firstSeconds * 1000,
    lastTimeMs: lastSeconds === null ? null : lastSeconds * 1000,
    commands: content === null ? 0 : commands,
  };
}
