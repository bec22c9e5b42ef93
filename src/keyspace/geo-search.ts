import { arcSine, cosine, sine } from './geo-trigonometry.js';
import {
  type Cell,
  cellOf,
  eastOf,
  neighborOf,
  northOf,
  Position,
  scoresOf,
  southOf,
  westOf,
} from './geohash.js';
import type { ZsetView } from './zsets.js';

const RADIANS = Math.PI / 180;
const EARTH_RADIUS_M = 6372797.560856;
const MERCATOR_MAX_M = 20037726.37;
const STEPS_MAX = 26;
/** The first release that treats points of one meridian apart. */
const MERIDIAN_APART = 700;

/** What a search looks for: everything within a circle or a box around a point. Lengths are in `unitM` metres. */
export class Shape {
  lon = 0;
  lat = 0;
  unitM = 1;
  isBox = false;
  radius = 0;
  width = 0;
  height = 0;

  /** Distance of a position from the centre in metres; -1 when it is outside. */
  distanceWithin(position: Position, release: number): number {
    const { lon, lat } = position;
    if (this.isBox && !this.boxHolds(lon, lat, release)) return -1;
    const distanceM = distanceBetween(this.lon, this.lat, lon, lat, release);
    return this.isBox || !(distanceM > this.radius * this.unitM) ? distanceM : -1;
  }

  private boxHolds(lon: number, lat: number, release: number): boolean {
    const across = distanceBetween(lon, lat, this.lon, lat, release);
    if (across > (this.width * this.unitM) / 2) return false;
    const along =
      release >= MERIDIAN_APART
        ? alongMeridian(lat, this.lat)
        : distanceBetween(lon, lat, lon, this.lat, release);
    return !(along > (this.height * this.unitM) / 2);
  }

  /** Half of the height and width, or the radius, in metres. */
  get halfHeightM(): number {
    return this.unitM * (this.isBox ? this.height / 2 : this.radius);
  }

  get halfWidthM(): number {
    return this.unitM * (this.isBox ? this.width / 2 : this.radius);
  }

  /** Distance from the centre to the farthest point inside, in metres. */
  get reachM(): number {
    const { width, height } = this;
    if (!this.isBox) return this.radius * this.unitM;
    return Math.sqrt((width / 2) * (width / 2) + (height / 2) * (height / 2)) * this.unitM;
  }
}

function alongMeridian(lat1: number, lat2: number): number {
  return EARTH_RADIUS_M * Math.abs(lat2 * RADIANS - lat1 * RADIANS);
}

/** Great circle distance in metres by the haversine formula, in the servers' order of operations. */
function distanceBetween(lon1: number, lat1: number, lon2: number, lat2: number, release: number): number {
  const v = sine((lon2 * RADIANS - lon1 * RADIANS) / 2);
  if (v === 0 && release >= MERIDIAN_APART) return alongMeridian(lat1, lat2);
  const from = lat1 * RADIANS;
  const to = lat2 * RADIANS;
  const u = sine((to - from) / 2);
  return 2 * EARTH_RADIUS_M * arcSine(Math.sqrt(u * u + cosine(from) * cosine(to) * v * v));
}

/** A member of a sorted set that a search has found. */
export interface Found {
  readonly member: Buffer;
  readonly score: number;
  readonly distanceM: number;
}

/** Everything of a sorted set within a shape, cell by cell; stops after `limit` unless that is 0. */
export function search(view: ZsetView, shape: Shape, limit: number, release: number): Found[] {
  const found: Found[] = [];
  let previous: Cell | null = null;
  cellsAround(shape).forEach((cell, index) => {
    if (cell === null) return;
    // In a very wide search neighbours can be one and the same cell.
    if (previous !== null && cell.lon === previous.lon && cell.lat === previous.lat) return;
    if (limit > 0 && found.length >= limit) return;
    searchCell(view, shape, cell, limit, release, found);
    previous = index === 0 ? null : cell;
  });
  return found;
}

const position = new Position();

function searchCell(
  view: ZsetView,
  shape: Shape,
  cell: Cell,
  limit: number,
  release: number,
  found: Found[],
): void {
  const { min, max } = scoresOf(cell);
  const from = view.firstAbove((at) => at.score >= min);
  const to = view.firstAbove((at) => at.score >= max);
  view.select(from, to);
  for (let rank = from; rank < to; rank++) {
    view.seek(rank);
    const distanceM = shape.distanceWithin(position.decode(view.score), release);
    if (distanceM >= 0) found.push({ member: view.member.copy(), score: view.score, distanceM });
    if (limit > 0 && found.length >= limit) return;
  }
}

/**
 * The cell of the centre and its eight neighbours, of a size that they cover the shape; null for one that cannot hold
 * any of it. In the order in which servers search them.
 */
function cellsAround(shape: Shape): (Cell | null)[] {
  const bounds = boundsOf(shape);
  let steps = stepsFor(shape.reachM, shape.lat);
  let center = cellOf(shape.lon, shape.lat, steps);
  if (steps > 1 && !neighborsCover(center, bounds)) center = cellOf(shape.lon, shape.lat, --steps);
  const excludes = steps >= 2;
  const noSouth = excludes && southOf(center) < bounds.south;
  const noNorth = excludes && northOf(center) > bounds.north;
  const noWest = excludes && westOf(center) < bounds.west;
  const noEast = excludes && eastOf(center) > bounds.east;
  const neighbor = (columns: number, rows: number): Cell | null => {
    if ((columns > 0 && noEast) || (columns < 0 && noWest)) return null;
    if ((rows > 0 && noNorth) || (rows < 0 && noSouth)) return null;
    return neighborOf(center, columns, rows);
  };
  return [
    center,
    neighbor(0, 1),
    neighbor(0, -1),
    neighbor(1, 0),
    neighbor(-1, 0),
    neighbor(1, 1),
    neighbor(-1, 1),
    neighbor(1, -1),
    neighbor(-1, -1),
  ];
}

interface Bounds {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

function boundsOf(shape: Shape): Bounds {
  const { lon, lat } = shape;
  const latDelta = shape.halfHeightM / EARTH_RADIUS_M / RADIANS;
  // Meridians run together towards the poles: the edge of the shape that is nearer to one spans more of them.
  const edge = lat < 0 ? lat - latDelta : lat + latDelta;
  const lonDelta = shape.halfWidthM / EARTH_RADIUS_M / cosine(edge * RADIANS) / RADIANS;
  return { west: lon - lonDelta, south: lat - latDelta, east: lon + lonDelta, north: lat + latDelta };
}

function neighborsCover(center: Cell, bounds: Bounds): boolean {
  return !(
    northOf(neighborOf(center, 0, 1)) < bounds.north ||
    southOf(neighborOf(center, 0, -1)) > bounds.south ||
    eastOf(neighborOf(center, 1, 0)) < bounds.east ||
    westOf(neighborOf(center, -1, 0)) > bounds.west
  );
}

/** How often to halve the world so that a cell is about as large as the reach. */
function stepsFor(reachM: number, lat: number): number {
  if (reachM === 0) return STEPS_MAX;
  let steps = 1;
  for (let wide = reachM; wide < MERCATOR_MAX_M; wide *= 2) steps++;
  steps -= 2;
  if (lat > 66 || lat < -66) steps -= lat > 80 || lat < -80 ? 2 : 1;
  return Math.min(STEPS_MAX, Math.max(1, steps));
}
