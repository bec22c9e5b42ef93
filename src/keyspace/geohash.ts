/** Bits of each coordinate in a stored position. */
const STEPS = 26;
const LON_MAX = 180;
/** Web Mercator ends there. */
const LAT_MAX = 85.05112878;
const TWO_32 = 4294967296;

export function isPosition(lon: number, lat: number): boolean {
  return lon >= -LON_MAX && lon <= LON_MAX && lat >= -LAT_MAX && lat <= LAT_MAX;
}

/** A cell of the grid that halves the world `steps` times in each direction. */
export interface Cell {
  /** Column and row from the south-west corner. A point on the far edge has the number of cells itself. */
  readonly lon: number;
  readonly lat: number;
  readonly steps: number;
}

export function cellOf(lon: number, lat: number, steps: number): Cell {
  const cells = 2 ** steps;
  return {
    lon: Math.floor(((lon + LON_MAX) / (LON_MAX + LON_MAX)) * cells),
    lat: Math.floor(((lat + LAT_MAX) / (LAT_MAX + LAT_MAX)) * cells),
    steps,
  };
}

/** The cell so many columns and rows away, around the edges of the world. */
export function neighborOf(cell: Cell, columns: number, rows: number): Cell {
  const mask = 2 ** cell.steps - 1;
  return {
    lon: columns === 0 ? cell.lon : (cell.lon + columns) & mask,
    lat: rows === 0 ? cell.lat : (cell.lat + rows) & mask,
    steps: cell.steps,
  };
}

/** Bounds of a cell in degrees. */
export const westOf = (cell: Cell): number => degrees(cell.lon, cell.steps, LON_MAX);
export const eastOf = (cell: Cell): number => degrees(cell.lon + 1, cell.steps, LON_MAX);
export const southOf = (cell: Cell): number => degrees(cell.lat, cell.steps, LAT_MAX);
export const northOf = (cell: Cell): number => degrees(cell.lat + 1, cell.steps, LAT_MAX);

function degrees(index: number, steps: number, max: number): number {
  return -max + (index / 2 ** steps) * (max + max);
}

/** The number of a cell among all of its size: bits of row and column in turns, the row's lowest bit first. */
function numberOf(cell: Cell): number {
  const { lon, lat } = cell;
  const high = spread(lat >>> 16) | (spread(lon >>> 16) << 1);
  const low = spread(lat & 0xffff) | (spread(lon & 0xffff) << 1);
  return (high >>> 0) * TWO_32 + (low >>> 0);
}

/** The score of a position in a sorted set. */
export function scoreOfPosition(lon: number, lat: number): number {
  return numberOf(cellOf(lon, lat, STEPS));
}

/** The first score in a cell, and the first beyond it. */
export function scoresOf(cell: Cell): { min: number; max: number } {
  const number = numberOf(cell);
  const scale = 2 ** (2 * (STEPS - cell.steps));
  return { min: number * scale, max: (number + 1) * scale };
}

/** A position in degrees. */
export class Position {
  lon = 0;
  lat = 0;

  /** Becomes the middle of the cell that a score stands for, whatever the score. */
  decode(score: number): this {
    const whole = Math.trunc(score);
    const exact = whole >= 0 && whole <= Number.MAX_SAFE_INTEGER;
    const bits = exact ? 0n : unsignedBits(whole);
    const high = exact ? Math.floor(whole / TWO_32) : Number(bits >> 32n);
    const low = exact ? whole >>> 0 : Number(bits & 0xffffffffn);
    const lat = (gather(low) | (gather(high) << 16)) >>> 0;
    const lon = (gather(low >>> 1) | (gather(high >>> 1) << 16)) >>> 0;
    this.lat = clamp((degrees(lat, STEPS, LAT_MAX) + degrees((lat + 1) >>> 0, STEPS, LAT_MAX)) / 2, LAT_MAX);
    this.lon = clamp((degrees(lon, STEPS, LON_MAX) + degrees((lon + 1) >>> 0, STEPS, LON_MAX)) / 2, LON_MAX);
    return this;
  }
}

function clamp(value: number, max: number): number {
  return value > max ? max : value < -max ? -max : value;
}

/** What C makes of a large or negative double that is cast to an unsigned 64-bit integer. */
function unsignedBits(whole: number): bigint {
  if (whole >= 2 ** 64 || whole === Number.POSITIVE_INFINITY) return 0n;
  return whole < -(2 ** 63) ? 1n << 63n : BigInt.asUintN(64, BigInt(whole));
}

/** Moves bit i of sixteen to bit 2i. */
function spread(value: number): number {
  let x = value;
  x = (x | (x << 8)) & 0x00ff00ff;
  x = (x | (x << 4)) & 0x0f0f0f0f;
  x = (x | (x << 2)) & 0x33333333;
  return (x | (x << 1)) & 0x55555555;
}

/** The inverse of `spread`; odd bits are ignored. */
function gather(value: number): number {
  let x = value & 0x55555555;
  x = (x | (x >>> 1)) & 0x33333333;
  x = (x | (x >>> 2)) & 0x0f0f0f0f;
  x = (x | (x >>> 4)) & 0x00ff00ff;
  return (x | (x >>> 8)) & 0x0000ffff;
}
