const NUMBER = new Intl.NumberFormat('en');
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

export const count = (value) => NUMBER.format(value);

export function bytes(value) {
  if (value === null || value === undefined) return '–';
  let rest = value;
  let unit = 0;
  for (; rest >= 999.5 && unit < UNITS.length - 1; unit++) rest /= 1000;
  return `${unit === 0 ? Math.round(rest) : rest < 9.95 ? rest.toFixed(1) : rest.toFixed(0)} ${UNITS[unit]}`;
}

export const percent = (part, whole) => (whole > 0 ? `${((part / whole) * 100).toFixed(1)} %` : '–');

export function instant(ms) {
  if (ms === null || Math.abs(ms) > 8.64e15) return '–';
  return new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');
}

const STEPS = [
  [31_536_000, 'a'],
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
];

export function duration(seconds) {
  for (const [size, unit] of STEPS) {
    // Below two of a unit the smaller one says more.
    if (seconds >= 2 * size || size === 1)
      return `${(seconds / size).toFixed(seconds / size < 10 && size > 1 ? 1 : 0)} ${unit}`;
  }
  return '0 s';
}

export const plural = (value, word) => `${count(value)} ${word}${value === 1 ? '' : 's'}`;
