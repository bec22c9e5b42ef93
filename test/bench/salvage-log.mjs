// Damages logs in six ways at seeded places and counts what `skip` keeps of them: the part of `npm run salvage-bench`
// that is about append-only files, and the property that test/salvage holds it to.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { seeded } from './salvage-damage.mjs';

/** What is done to the bytes behind `from`; sizes give way to those of small files. */
export const DAMAGES = ['1 byte', '64 bytes', '4 KB zeroed', '64 KB lost', 'block twice', 'three places'];

/** Places in three of which one is damaged at a time. */
const PLACES = 3;

/**
 * A damaged copy. `parts` says where its bytes come from, in order: `{at, length, from}`, `from` -1 for bytes that the
 * original does not hold.
 */
export function damageLog(bytes, from, kind, random) {
  const room = bytes.length - from;
  const at = from + random.below(room);
  switch (kind) {
    case '1 byte':
      return overwritten(bytes, [noise(at, 1, bytes, random)]);
    case '64 bytes':
      return overwritten(bytes, [noise(at, Math.min(64, bytes.length - at), bytes, random)]);
    case '4 KB zeroed': {
      const length = Math.min(4096, room >> 3, bytes.length - at);
      return overwritten(bytes, [{ at, bytes: Buffer.alloc(length) }]);
    }
    case '64 KB lost': {
      const length = Math.min(65536, room >> 3, bytes.length - at);
      return joined(bytes, [
        [0, at],
        [at + length, bytes.length],
      ]);
    }
    case 'block twice': {
      const length = Math.min(4096, room >> 3, bytes.length - at);
      return joined(bytes, [
        [0, at + length],
        [at, bytes.length],
      ]);
    }
    case 'three places': {
      const places = Array.from({ length: PLACES }, () => {
        const place = from + random.below(room);
        return noise(place, Math.min(1 + random.below(16), bytes.length - place), bytes, random);
      });
      return overwritten(bytes, places);
    }
    default:
      throw new Error(`no such damage: ${kind}`);
  }
}

/** Other bytes than those that stand there, every one of them. */
function noise(at, length, bytes, random) {
  const other = Buffer.alloc(length);
  for (let i = 0; i < length; i++) other[i] = bytes[at + i] ^ (1 + random.below(255));
  return { at, bytes: other };
}

function overwritten(bytes, places) {
  const damaged = Buffer.from(bytes);
  const touched = new Set();
  for (const place of places) {
    place.bytes.copy(damaged, place.at);
    for (let i = 0; i < place.bytes.length; i++) touched.add(place.at + i);
  }
  const parts = [];
  let at = 0;
  for (const offset of [...touched].filter((i) => damaged[i] !== bytes[i]).sort((a, b) => a - b)) {
    if (offset > at) parts.push({ at, length: offset - at, from: at });
    at = offset + 1;
  }
  if (at < bytes.length) parts.push({ at, length: bytes.length - at, from: at });
  return { damaged, parts };
}

function joined(bytes, ranges) {
  const parts = [];
  let at = 0;
  for (const [start, end] of ranges) {
    parts.push({ at, length: end - start, from: start });
    at += end - start;
  }
  return { damaged: Buffer.concat(ranges.map(([start, end]) => bytes.subarray(start, end))), parts };
}

/** The records of a well-formed log from `start` on: `[start, end)` of each command. */
export function recordsOf(bytes, start) {
  const records = [];
  const lineAt = (at) => bytes.latin1Slice(at, bytes.indexOf(10, at) - 1);
  for (let at = start; at < bytes.length; ) {
    const first = at;
    let line = lineAt(at);
    at += line.length + 2;
    if (line.startsWith('#')) continue;
    for (let left = Number(line.slice(1)); left > 0; left--) {
      line = lineAt(at);
      at += line.length + 2 + Number(line.slice(1)) + 2;
    }
    records.push([first, at]);
  }
  return records;
}

/**
 * Compares what was told with what there was. `told`: `[start, end)` in the damaged bytes of every command kept.
 * `changed` are those whose own bytes were damaged, `swallowed` the whole records inside of them.
 */
export function compareLog(records, parts, told) {
  const whole = new Map(records.map(([start, end]) => [start, end]));
  const toldStarts = new Set();
  const result = { untouched: 0, kept: 0, repeated: 0, changed: 0, swallowed: 0, invented: [], missing: [] };
  const changed = [];
  let part = 0;
  for (const [start, end] of told) {
    while (part < parts.length && parts[part].at + parts[part].length <= start) part++;
    const { at, length, from } = parts[part] ?? { at: end, length: 0, from: 0 };
    if (start < at || end > at + length) {
      result.changed++;
      changed.push([start, end]);
      continue;
    }
    const original = start - at + from;
    if (whole.get(original) !== end - start + original) result.invented.push([start, end]);
    else if (toldStarts.has(original)) result.repeated++;
    else toldStarts.add(original);
  }
  for (const [start, end] of records) {
    const here = parts.filter(({ from, length }) => start >= from && end <= from + length);
    if (here.length === 0) continue;
    result.untouched++;
    if (toldStarts.has(start)) result.kept++;
    else {
      const places = here.map(({ at, from }) => start - from + at);
      if (places.some((place) => changed.some(([first, last]) => first <= place && place < last)))
        result.swallowed++;
      else result.missing.push(places[0]);
    }
  }
  return result;
}

const ARCHIVES = new URL('../../testdata/corpus/', import.meta.url);
/** Version and, in its archive, the file: the log of a coverage run or of an application under load. */
const LOGS = [
  ['2.8.24', /^workload-norewrite\.aof$/],
  ['5.0.14', /^workload-norewrite\.aof$/],
  ['6.2.16', /^workload-norewrite\.aof$/],
  ['7.0.15', /^workload\/.*3\.incr\.aof$/],
  ['7.0.15', /^seed-app\/.*\.incr\.aof$/],
  ['7.4.1', /^seed-app\/.*\.incr\.aof$/],
];
export const LOG_VERSIONS = [...new Set(LOGS.map(([version]) => version))];

function packedLog(version, wanted) {
  const tar = gunzipSync(readFileSync(new URL(`redis-${version}.tar.gz`, ARCHIVES)));
  let found;
  for (let at = 0; at < tar.length; ) {
    const name = tar.toString('latin1', at, at + 100).replace(/^\.\/|\0.*$/gs, '');
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 136), 8) || 0;
    if (wanted.test(name)) found = tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  if (found === undefined) throw new Error(`no such log in the archive of ${version}: ${wanted}`);
  const start = found.latin1Slice(0, 5) === 'REDIS' ? found.indexOf('*2\r\n$6\r\nSELECT') : 0;
  return Buffer.from(found.subarray(start));
}

/** The same for logs as RdbSweep for RDBs: rows of the same form, a command where it counts a key. */
export class LogSweep {
  /** `library`: the modules of a build, see salvage.mjs. */
  constructor(library) {
    this.library = library;
  }

  async told(damaged) {
    const { salvageLog, MemorySource } = this.library;
    const ranges = [];
    let doubtful = 0;
    const handler = {
      full: false,
      stopped: false,
      command: ({ offset, length }) => ranges.push([offset, offset + length]),
      annotation() {},
      flaw() {},
      damage() {},
      doubtful: ({ records }) => (doubtful += records),
    };
    await salvageLog(new MemorySource(damaged), 0, handler, { doubtful: false });
    return { ranges, doubtful };
  }

  async run({ versions, kinds, positions, seed, onKind }) {
    const rows = [];
    for (const [version, wanted] of LOGS.filter(([version]) => versions.includes(version))) {
      const log = packedLog(version, wanted);
      const records = recordsOf(log, 0);
      const name = `${version} ${/[a-z][a-z-]+/.exec(wanted.source)[0]}`;
      for (const kind of kinds) {
        const random = seeded(seed);
        const row = { version: name, kind, positions, untouched: 0, back: 0 };
        Object.assign(row, { worstLost: 0, invented: 0, doubtful: 0, guessed: 0, ms: 0 });
        for (let i = 0; i < positions; i++) {
          const { damaged, parts } = damageLog(log, 0, kind, random);
          const startedAt = performance.now();
          const { ranges, doubtful } = await this.told(damaged);
          row.ms += performance.now() - startedAt;
          const { untouched, kept, invented } = compareLog(records, parts, ranges);
          row.untouched += untouched;
          row.back += kept;
          row.worstLost = Math.max(row.worstLost, untouched - kept);
          row.invented += invented.length;
          row.doubtful += doubtful;
        }
        rows.push(row);
        onKind(row);
      }
    }
    return rows;
  }
}
