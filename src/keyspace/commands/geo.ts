import { parseDouble } from '../../kernels/doubles.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { PACKED_ZSET, ZSET } from '../forms.js';
import { type Found, Shape, search } from '../geo-search.js';
import { isPosition, Position, scoreOfPosition } from '../geohash.js';
import { longAt } from '../integers.js';
import { APPLIED, FAILED, type Outcome, UNKNOWN } from '../outcome.js';
import { partialSort } from '../partial-sort.js';
import { packZset, putMember, scoreOf, ZsetView } from '../zsets.js';
import { beginResult, storeResult } from './result.js';
import type { CommandRow } from './row.js';

/** Commands on positions. Servers log GEOADD as ZADD; a search is logged when it stores what it finds. */
export const geoCommands: readonly CommandRow[] = [
  { name: 'GEOADD', arity: -5, apply: geoadd },
  { name: 'GEORADIUS', arity: -6, apply: (engine, command) => radius(engine, command, false) },
  { name: 'GEORADIUSBYMEMBER', arity: -5, apply: (engine, command) => radius(engine, command, true) },
  { name: 'GEOSEARCHSTORE', arity: -8, apply: geosearchstore },
];

/** The first release in which a search that is to be stored empties its destination when there is nothing to search. */
const STORES_NOTHING = 602;

const UNITS: readonly { name: string; metres: number }[] = [
  { name: 'M', metres: 1 },
  { name: 'KM', metres: 1000 },
  { name: 'FT', metres: 0.3048 },
  { name: 'MI', metres: 1609.34 },
];

function geoadd(engine: Engine, command: CommandSpans): Outcome {
  let i = 2;
  let onlyNew = false;
  let onlyPresent = false;
  for (; i < command.argc; i++) {
    if (command.is(i, 'NX')) onlyNew = true;
    else if (command.is(i, 'XX')) onlyPresent = true;
    else if (!command.is(i, 'CH')) break;
  }
  const words = command.argc - i;
  if (words % 3 !== 0 || (onlyNew && onlyPresent)) return engine.syntaxError();
  if (words === 0) return engine.syntaxError();
  const scores: number[] = [];
  for (let k = i; k < command.argc; k += 3) {
    if (!readPosition(engine, command, k)) return FAILED;
    scores.push(scoreOfPosition(shape.lon, shape.lat));
  }
  const { db } = engine;
  let entry = engine.find(command, 1);
  if (entry >= 0 && db.kindAt(entry) !== ZSET) return engine.wrongType();
  const { bytes, starts, ends } = command;
  for (let k = 0; k < scores.length; k++) {
    const member = i + 3 * k + 2;
    const start = starts[member]!;
    const end = ends[member]!;
    const present = entry >= 0 && !Number.isNaN(scoreOf(db, entry, bytes, start, end));
    if (present ? onlyNew : onlyPresent) continue;
    if (entry < 0) entry = db.create(bytes, starts[1]!, ends[1]!, PACKED_ZSET);
    putMember(db, entry, bytes, start, end, scores[k]!, engine.thresholds);
  }
  return APPLIED;
}

/** The search at hand. */
const shape = new Shape();
const position = new Position();

/** Reads a longitude and a latitude from argument i on into the shape. */
function readPosition(engine: Engine, command: CommandSpans, i: number): boolean {
  const lon = numberAt(command, i);
  const lat = numberAt(command, i + 1);
  if (Number.isNaN(lon) || Number.isNaN(lat)) {
    engine.notFloat();
    return false;
  }
  if (!isPosition(lon, lat)) {
    engine.fail(`ERR invalid longitude,latitude pair ${lon.toFixed(6)},${lat.toFixed(6)}`);
    return false;
  }
  shape.lon = lon;
  shape.lat = lat;
  return true;
}

/** Takes over the position of a member; false when there is none. */
function readMember(engine: Engine, command: CommandSpans, entry: number, i: number): boolean {
  const score = scoreOf(engine.db, entry, command.bytes, command.starts[i]!, command.ends[i]!);
  if (Number.isNaN(score)) {
    engine.fail('ERR could not decode requested zset member');
    return false;
  }
  position.decode(score);
  shape.lon = position.lon;
  shape.lat = position.lat;
  return true;
}

/** Reads one length, or a width and a height, and their unit from argument i on into the shape. */
function readLengths(engine: Engine, command: CommandSpans, i: number, isBox: boolean): boolean {
  const first = numberAt(command, i);
  const second = isBox ? numberAt(command, i + 1) : 0;
  const unitAt = isBox ? i + 2 : i + 1;
  const unit = UNITS.find(({ name }) => command.is(unitAt, name));
  if (Number.isNaN(first) || Number.isNaN(second)) engine.fail('ERR need numeric radius, width or height');
  else if (first < 0 || second < 0) engine.fail('ERR radius, height or width cannot be negative');
  else if (unit === undefined) engine.fail('ERR unsupported unit provided. please use M, KM, FT, MI');
  else {
    shape.isBox = isBox;
    shape.radius = shape.width = first;
    shape.height = second;
    shape.unitM = unit.metres;
    return true;
  }
  return false;
}

function numberAt(command: CommandSpans, i: number): number {
  return parseDouble(command.bytes, command.starts[i]!, command.ends[i]!);
}

/** What the options of a search say. One object serves all commands. */
class Options {
  /** Entry of the sorted set to search; -1: no such key. */
  source = -1;
  /** Argument that names the destination; 0: none. */
  target = 0;
  storesDistance = false;
  withExtras = false;
  order: 'none' | 'asc' | 'desc' = 'none';
  count = 0;
  any = false;
  hasCenter = false;
  hasSize = false;

  reset(source: number, target: number): void {
    this.source = source;
    this.target = target;
    this.storesDistance = this.withExtras = this.any = this.hasCenter = this.hasSize = false;
    this.order = 'none';
    this.count = 0;
  }

  /** Reads the option at argument i. Returns how many arguments it took; 0 when it was refused. */
  readCommon(engine: Engine, command: CommandSpans, i: number): number {
    if (command.is(i, 'WITHDIST') || command.is(i, 'WITHHASH') || command.is(i, 'WITHCOORD')) {
      this.withExtras = true;
    } else if (command.is(i, 'ANY')) {
      this.any = true;
    } else if (command.is(i, 'ASC')) {
      this.order = 'asc';
    } else if (command.is(i, 'DESC')) {
      this.order = 'desc';
    } else if (command.is(i, 'COUNT') && i + 1 < command.argc) {
      const count = longAt(command, i + 1);
      if (count === null) engine.notInteger();
      else if (count <= 0) engine.fail('ERR COUNT must be > 0');
      if (count === null || count <= 0) return 0;
      this.count = Number(count);
      return 2;
    } else {
      engine.syntaxError();
      return 0;
    }
    return 1;
  }
}

const options = new Options();

/** The entry of a sorted set, -1 when there is no such key, -2 when it is something else. */
function sourceAt(engine: Engine, command: CommandSpans, i: number): number {
  const entry = engine.find(command, i);
  return entry >= 0 && engine.db.kindAt(entry) !== ZSET ? -2 : entry;
}

function radius(engine: Engine, command: CommandSpans, byMember: boolean): Outcome {
  const source = sourceAt(engine, command, 1);
  if (source === -2) return engine.wrongType();
  if (source < 0 && engine.release < STORES_NOTHING) return APPLIED;
  options.reset(source, 0);
  if (byMember) {
    // Without a key neither the member nor the radius is looked at.
    if (source >= 0 && !readMember(engine, command, source, 2)) return FAILED;
    if (source >= 0 && !readLengths(engine, command, 3, false)) return FAILED;
  } else if (!readPosition(engine, command, 2) || !readLengths(engine, command, 4, false)) {
    return FAILED;
  }
  for (let i = byMember ? 5 : 6; i < command.argc; ) {
    const byDistance = command.is(i, 'STOREDIST');
    if ((byDistance || command.is(i, 'STORE')) && i + 1 < command.argc) {
      options.target = i + 1;
      options.storesDistance = byDistance;
      i += 2;
      continue;
    }
    const taken = options.readCommon(engine, command, i);
    if (taken === 0) return FAILED;
    i += taken;
  }
  return finish(engine, command);
}

function geosearchstore(engine: Engine, command: CommandSpans): Outcome {
  const source = sourceAt(engine, command, 2);
  if (source === -2) return engine.wrongType();
  options.reset(source, 1);
  let byMember = false;
  let byPosition = false;
  let asBox = false;
  let asCircle = false;
  for (let i = 3; i < command.argc; ) {
    const left = command.argc - i - 1;
    if (command.is(i, 'STOREDIST')) {
      options.storesDistance = true;
      i += 1;
    } else if (left >= 1 && !byPosition && command.is(i, 'FROMMEMBER')) {
      if (source >= 0 && !readMember(engine, command, source, i + 1)) return FAILED;
      byMember = true;
      i += 2;
    } else if (left >= 2 && !byMember && command.is(i, 'FROMLONLAT')) {
      if (!readPosition(engine, command, i + 1)) return FAILED;
      byPosition = true;
      i += 3;
    } else if (left >= 2 && !asBox && command.is(i, 'BYRADIUS')) {
      if (!readLengths(engine, command, i + 1, false)) return FAILED;
      asCircle = true;
      i += 3;
    } else if (left >= 3 && !asCircle && command.is(i, 'BYBOX')) {
      if (!readLengths(engine, command, i + 1, true)) return FAILED;
      asBox = true;
      i += 4;
    } else if (command.is(i, 'BYPOLYGON')) {
      engine.lastError = 'searching a polygon is not known';
      return UNKNOWN;
    } else {
      const taken = options.readCommon(engine, command, i);
      if (taken === 0) return FAILED;
      i += taken;
    }
  }
  if (!byMember && !byPosition)
    return engine.fail('ERR exactly one of FROMMEMBER or FROMLONLAT can be specified');
  if (!asCircle && !asBox) return engine.fail('ERR exactly one of BYRADIUS and BYBOX can be specified');
  return finish(engine, command);
}

/** Searches and stores. */
function finish(engine: Engine, command: CommandSpans): Outcome {
  const { source, target, count, any, order } = options;
  if (target > 0 && options.withExtras)
    return engine.fail('ERR STORE is not compatible with WITHDIST and its kin');
  if (any && count === 0) return engine.fail('ERR the ANY argument requires COUNT argument');
  if (target === 0) return APPLIED;
  const found =
    source < 0 ? [] : search(view.open(engine.db, source), shape, any ? count : 0, engine.release);
  const size = count === 0 ? found.length : Math.min(found.length, count);
  if (size < found.length) {
    const sign = order === 'desc' ? -1 : 1;
    partialSort(found, (a, b) => sign * compareDistances(a, b), 0, size - 1);
  }
  const result = beginResult(engine, PACKED_ZSET);
  const { scratch } = engine.keyspace;
  scratch.mark(result);
  for (let i = 0; i < size; i++) {
    const { member, score, distanceM } = found[i]!;
    const stored = options.storesDistance ? distanceM / shape.unitM : score;
    putMember(scratch, result, member, 0, member.length, stored, engine.thresholds);
  }
  packZset(scratch, result, engine.thresholds);
  storeResult(engine, command, target, size);
  return APPLIED;
}

const view = new ZsetView();

function compareDistances(a: Found, b: Found): number {
  return a.distanceM > b.distanceM ? 1 : a.distanceM === b.distanceM ? 0 : -1;
}
