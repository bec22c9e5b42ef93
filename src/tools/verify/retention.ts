import { UsageError } from '../../errors.js';

export type Period = 'hourly' | 'daily' | 'weekly' | 'monthly';

/** How many periods back there must be a good backup, of each kind that is asked for. */
export type RetentionRules = readonly { readonly period: Period; readonly count: number }[];

const PERIODS: readonly Period[] = ['hourly', 'daily', 'weekly', 'monthly'];
const COUNT_MAX = 10_000;
const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;
/** The epoch began on a Thursday, weeks begin on Mondays. */
const WEEK_SHIFT_DAYS = 3;

/** `daily:7,weekly:4`. @throws UsageError */
export function retentionOf(text: string, option: string): RetentionRules {
  return text.split(',').map((part) => {
    const [, word = '', number = ''] = /^\s*([a-z]+):(\d{1,6})\s*$/i.exec(part) ?? [];
    const period = PERIODS.find((each) => each === word.toLowerCase());
    const count = Number(number);
    if (period === undefined || count < 1 || count > COUNT_MAX) {
      throw new UsageError(
        `${option}: '${part.trim()}' is no rule`,
        'give daily:7 or daily:7,weekly:4,monthly:6',
      );
    }
    return { period, count };
  });
}

/** The number of the period a time is in, by UTC; they follow each other. */
export function periodOf(period: Period, ms: number): number {
  switch (period) {
    case 'hourly':
      return Math.floor(ms / HOUR_MS);
    case 'daily':
      return Math.floor(ms / DAY_MS);
    case 'weekly':
      return Math.floor((Math.floor(ms / DAY_MS) + WEEK_SHIFT_DAYS) / 7);
    case 'monthly': {
      const date = new Date(ms);
      return date.getUTCFullYear() * 12 + date.getUTCMonth();
    }
    default:
      return period satisfies never;
  }
}

/** How people call a period: `2026-03-01 12:00`, `2026-03-01`, `the week of 2026-02-23`, `2026-03`. */
export function periodName(period: Period, index: number): string {
  const day = (number: number): string => new Date(number * DAY_MS).toISOString().slice(0, 10);
  switch (period) {
    case 'hourly':
      return new Date(index * HOUR_MS).toISOString().slice(0, 16).replace('T', ' ');
    case 'daily':
      return day(index);
    case 'weekly':
      return `the week of ${day(index * 7 - WEEK_SHIFT_DAYS)}`;
    case 'monthly':
      return `${Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}`;
    default:
      return period satisfies never;
  }
}

/**
 * The periods that must have a backup, the newest first: so many back from that of `newestMs` if that is the current one
 * or the one before, else from the one before now: tonight's backup may still be to come, and how late the newest may
 * be is a rule of its own.
 */
export function periodsWanted(period: Period, count: number, nowMs: number, newestMs: number): number[] {
  const now = periodOf(period, nowMs);
  const first = periodOf(period, newestMs) >= now ? now : now - 1;
  return Array.from({ length: count }, (_, i) => first - i);
}
