import type { Finding } from '../../model/finding.js';
import type { CheckReport } from '../check.js';
import type { NotChecked } from '../report.js';
import type { DatasetFacts, RuleResult } from './rules.js';

/** Why a source could not be read. */
export interface Unreadable {
  readonly code: string;
  readonly path: string;
  readonly message: string;
  readonly hint: string;
}

/** What a restore drill came to. */
export interface DrillReport {
  readonly kind: 'embedded' | 'server';
  readonly ok: boolean;
  readonly keys: number | null;
  /** As DEBUG DIGEST prints it; null when it did not come to that. */
  readonly digest: string | null;
  /** What the server had for it; null without a server. */
  readonly serverDigest: string | null;
  /** `redis-7.0.15`; null without one. */
  readonly server: string | null;
  /** Why it failed; '' when it did not. */
  readonly why: string;
}

/** What comparing with a live server came to. */
export interface AgainstReport {
  /** The address, without user and password. */
  readonly server: string;
  /** The share of keys that are not the same on both sides; null when it could not be found out. */
  readonly drift: number | null;
  /** Keys of the backup that were looked at. */
  readonly compared: number;
  /** Among them. */
  readonly missing: number;
  readonly changed: number;
  /** Keys that only the server has; null when only a sample was compared. */
  readonly added: number | null;
  /** Keys of the sample whose values on the server nothing here understands. */
  readonly uncomparable: number;
  readonly why: string;
}

/** One backup of a directory of them. */
export interface BackupEntry {
  readonly path: string;
  readonly madeAtMs: number;
  /** Null: it was not verified, since a newer one of its day was good. */
  readonly ok: boolean | null;
  /** Rules that failed, by name. */
  readonly failed: readonly string[];
}

/** Everything one run found out about one source. */
export interface SourceVerdict {
  readonly name: string;
  readonly path: string;
  readonly ok: boolean;
  /** When the run looked at it, by its clock, in milliseconds since the epoch. */
  readonly atMs: number;
  readonly durationMs: number;
  readonly rules: readonly RuleResult[];
  /** Null when it could not be read at all. */
  readonly facts: DatasetFacts | null;
  readonly check: CheckReport | null;
  /** Findings that count as such. */
  readonly errors: number;
  readonly warnings: number;
  /** Damage that kept it from being opened. */
  readonly damage: Finding | null;
  readonly unreadable: Unreadable | null;
  readonly drill: DrillReport | null;
  readonly against: AgainstReport | null;
  /** The backups of a directory of them, the newest first; null for a single backup. */
  readonly backups: readonly BackupEntry[] | null;
  /** When a run last verified it, this one included; null when none is known. */
  readonly lastGoodMs: number | null;
  readonly notChecked: readonly NotChecked[];
}
