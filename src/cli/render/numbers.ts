/** `1234567` as `1,234,567`. */
export function count(value: number | bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 key`, `2 keys`, `1,234 keys`. */
export function counted(value: number | bigint, singular: string, plural = `${singular}s`): string {
  return `${count(value)} ${Number(value) === 1 ? singular : plural}`;
}

/** Commands that were passed over because the engine does not know them, or cannot run them here. */
export function leftOut(commands: number): string {
  return `${counted(commands, 'command')} that the engine does not execute ${commands === 1 ? 'was' : 'were'} left out`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** A size for people: `431 B`, `1.2 MB`; decimal units. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${UNITS[unit]!}`;
}

/** An offset in decimal and hexadecimal: `4660 (0x1234)`. */
export function offset(bytes: number): string {
  return `${bytes} (0x${bytes.toString(16)})`;
}

/** A length of time for people: `850 ms`, `12.3 s`, `4m 05s`, `3h 20m`, `12 days`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${minutes}m ${String(Math.round(seconds) % 60).padStart(2, '0')}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h ${String(minutes % 60).padStart(2, '0')}m`;
  return `${Math.round(hours / 24)} days`;
}

/** Milliseconds since the epoch as `2026-03-01 12:00:00 UTC`; out of the range of dates, the number itself. */
export function instant(ms: number): string {
  if (!(Math.abs(ms) <= 8.64e15)) return `${ms} ms`;
  return new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/(\.000)?Z$/, ' UTC');
}
