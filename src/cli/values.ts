import { UsageError } from '../errors.js';
import { didYouMean } from '../model/nearest.js';

const MULTIPLES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  kib: 1024,
  m: 1e6,
  mb: 1e6,
  mib: 1024 ** 2,
  g: 1e9,
  gb: 1e9,
  gib: 1024 ** 3,
  t: 1e12,
  tb: 1e12,
  tib: 1024 ** 4,
};

/** `512`, `64mb`, `1.5GiB` as bytes. */
export function parseSize(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text);
  const multiple = match === null ? undefined : MULTIPLES[match[2]!.toLowerCase()];
  if (match === null || multiple === undefined) {
    throw new UsageError(
      `${option}: '${text}' is not a size`,
      'give bytes, or a number with kB, MB, GB, MiB, GiB',
    );
  }
  return Math.floor(Number(match[1]) * multiple);
}

/** A whole number from `least` on. */
export function parseCount(text: string, option: string, least = 0): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < least) {
    throw new UsageError(`${option}: '${text}' is not a whole number${least > 0 ? ` from ${least} on` : ''}`);
  }
  return value;
}

/** Unix seconds (fractions allowed) or an ISO 8601 date, as milliseconds since the epoch. */
export function parseInstant(text: string, option: string): number {
  if (/^-?\d+(\.\d+)?$/.test(text)) {
    const seconds = Number(text);
    if (Math.abs(seconds) >= 1e11) {
      throw new UsageError(
        `${option}: '${text}' is too large for a time in seconds`,
        `if these are milliseconds, give ${Math.floor(seconds / 1000)}`,
      );
    }
    return Math.round(seconds * 1000);
  }
  // Without a zone Date would take the machine's; a recovery must not depend on where it runs.
  const zoned = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text)
    ? `${text.replace(' ', 'T')}Z`
    : text;
  const ms = /^\d{4}-\d\d/.test(text) ? Date.parse(zoned) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new UsageError(
      `${option}: '${text}' is not a time`,
      'give unix seconds (1772366400) or ISO 8601 (2026-03-01T12:00:00Z)',
    );
  }
  return ms;
}

const SPAN_UNITS: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5 };

/** `-15m`, `-2h30m`, `-1d` as milliseconds (positive); null when it is no such thing. */
export function parseSpanBack(text: string): number | null {
  if (!/^-(\d+(\.\d+)?[smhd])+$/i.test(text)) return null;
  let ms = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)([smhd])/gi)) {
    ms += Number(number) * SPAN_UNITS[unit!.toLowerCase()]!;
  }
  return ms;
}

/** One of a closed list of words. */
export function parseWord<const T extends string>(text: string, option: string, words: readonly T[]): T {
  const word = words.find((candidate) => candidate === text.toLowerCase());
  if (word === undefined) {
    throw new UsageError(`${option}: '${text}' is none of ${words.join(', ')}`, didYouMean(text, words));
  }
  return word;
}

/** `20MB`, `1GB/s` as bytes or `5000keys`, `5000keys/s` as keys, each a second. */
export function parseRate(
  text: string,
  option: string,
): { readonly bytesPerSecond: number | null; readonly keysPerSecond: number | null } {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)(?:\/s)?$/i.exec(text);
  const [, number = '', unit = ''] = match ?? [];
  if (/^keys?$/i.test(unit) && Number(number) > 0) {
    return { bytesPerSecond: null, keysPerSecond: Number(number) };
  }
  if (match === null || !(unit.toLowerCase() in MULTIPLES) || parseSize(number + unit, option) < 1) {
    throw new UsageError(`${option}: '${text}' is no rate`, 'give bytes or keys a second: 20MB, 5000keys');
  }
  return { bytesPerSecond: parseSize(number + unit, option), keysPerSecond: null };
}
