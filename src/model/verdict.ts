import { FINDINGS, type FindingCode } from './finding.js';

/**
 * What becomes of a file when a server starts on it: it is loaded as it stands; it is loaded with loss or with a
 * warning (with other settings it is refused); the server refuses it or crashes on it.
 */
export type Verdict = 'intact' | 'loss' | 'refused';

/** What servers cut off, leave out or complain about, and then start. */
const LOADED_WITH_LOSS: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'aof/torn-tail',
  'aof/open-transaction',
  'aof/nested-multi',
  'aof/exec-without-multi',
  'set/no-manifest',
  'set/empty-base',
  // Loaded unseen: the write goes to another database, the member is not found where it is looked for.
  'aof/bad-select',
  'rdb/unsorted-members',
]);

const STEPS: readonly Verdict[] = ['intact', 'loss', 'refused'];

/** What a server does on meeting a finding; flaws that none minds leave a file intact. */
export function verdictOf(code: FindingCode): Verdict {
  if (LOADED_WITH_LOSS.has(code)) return 'loss';
  return FINDINGS[code] === 'error' ? 'refused' : 'intact';
}

/** The worst of what a server does on meeting any of the findings. */
export function worstVerdict(codes: Iterable<FindingCode>): Verdict {
  let worst = 0;
  for (const code of codes) worst = Math.max(worst, STEPS.indexOf(verdictOf(code)));
  return STEPS[worst]!;
}
