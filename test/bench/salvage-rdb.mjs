import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { DAMAGES, meets, seeded } from './salvage-damage.mjs';

const ARCHIVES = new URL('../../testdata/salvage/', import.meta.url);
export const RDB_VERSIONS = ['2.8.24', '4.0.14', '5.0.14', '6.2.16', '7.0.15', '7.4.1'];
/** The same damage once more, with the checksum left unused: as in a file saved without one. */
export const UNCHECKED = '1 byte, no checksum';

/** The dump of 10,000 keys that a server of this version wrote. */
export function packedRdb(version) {
  const tar = gunzipSync(readFileSync(new URL(`redis-${version}.tar.gz`, ARCHIVES)));
  for (let at = 0; at < tar.length; ) {
    const name = tar.toString('latin1', at, at + 100).replace(/\0.*$/s, '');
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 136), 8) || 0;
    if (name.endsWith('dump.rdb')) return Buffer.from(tar.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new Error(`no dump.rdb in the archive of ${version}`);
}

/** Damages the files in every way, salvages, and compares what comes back with what was there. */
export class RdbSweep {
  /** `library`: the modules of a build, see salvage.mjs. */
  constructor(library) {
    this.library = library;
  }

  /** Every record of an RDB: database, name, expiry, bytes of the value, and where it stands. */
  async records(bytes) {
    const { RdbDecoder, RdbSink, pumpSource, MemorySource } = this.library;
    const records = [];
    class Records extends RdbSink {
      parts = [];
      key(head) {
        this.parts = [];
        this.expiry = head.hasExpiry ? head.expiresAtMs : null;
        return 1;
      }
      raw(fragment) {
        this.parts.push(fragment.copy());
      }
      keyEnd(head) {
        const value = this.parts.length === 1 ? this.parts[0] : Buffer.concat(this.parts);
        const name = `${head.database} ${head.key.latin1()}`;
        const last = records.at(-1);
        if (last !== undefined) last.next = head.offset;
        records.push({
          name,
          type: head.typeId,
          value,
          expiry: this.expiry,
          start: head.offset,
          end: 0,
          next: 0,
        });
      }
      end(summary) {
        if (records.length > 0) records.at(-1).next = summary.endOffset;
      }
    }
    const decoder = new RdbDecoder(new Records(), { verifyChecksum: true, deep: true });
    await pumpSource(new MemorySource(bytes), decoder);
    return records;
  }

  async original(bytes) {
    const records = await this.records(bytes);
    for (const record of records) {
      // The value is the end of a record; what may follow it up to the next belongs to no key.
      const found = bytes.indexOf(record.value, record.start);
      record.end = Math.min(record.next, found + record.value.length);
    }
    return { bytes, records, names: new Set(records.map(nameOf)) };
  }

  /** One damage: what was lost and what was invented. */
  async one(original, kind, seed) {
    const { surveyRdb, writeSalvagedRdb, MemorySource, MemoryTarget, DEFAULT_LIMITS } = this.library;
    const correct = kind !== UNCHECKED;
    const { damaged, touched, spots, move } = DAMAGES[correct ? kind : '1 byte'](
      original.bytes,
      seeded(seed),
    );
    const signal = new AbortController().signal;
    const source = new MemorySource(damaged);
    const options = {
      dialect: null,
      limits: DEFAULT_LIMITS,
      end: null,
      preamble: false,
      trustedTo: 0,
      correct,
    };
    const startedAt = performance.now();
    const survey = await surveyRdb(source, options, { signal, progress() {} });
    const surveyMs = performance.now() - startedAt;
    const target = new MemoryTarget();
    await writeSalvagedRdb(source, survey, target, {
      doubtful: false,
      partial: false,
      signal,
      progress() {},
    });
    const output = await this.records(Buffer.from(target.bytes()));
    const sourceOf = offsetsInSource(survey);
    const back = new Map();
    const invented = [];
    for (const record of output) {
      back.set(record.name, record);
      // The database behind a lost SELECTDB is a guess and told as one: a wrong one is a key lost, not a name invented.
      if (original.names.has(nameOf(record))) continue;
      const start = sourceOf(record.start);
      if (!meets(spots, start, start + record.next - record.start)) invented.push(record.name);
    }
    const lost = [];
    let untouched = 0;
    for (const record of original.records) {
      if (meets(touched, record.start, record.end)) continue;
      untouched++;
      if (!sameRecord(back.get(record.name), record))
        lost.push({ name: record.name, at: move(record.start) });
    }
    return { untouched, lost, invented, surveyMs, survey, damaged };
  }

  async run({ versions, kinds, positions, seed, onKind }) {
    const rows = [];
    for (const version of versions) {
      const original = await this.original(packedRdb(version));
      for (const kind of kinds) {
        const row = { version, kind, positions, keys: original.records.length };
        Object.assign(row, {
          untouched: 0,
          back: 0,
          invented: 0,
          doubtful: 0,
          guessed: 0,
          worstLost: 0,
          ms: 0,
          seeds: [],
        });
        for (let i = 0; i < positions; i++) {
          const one = await this.one(original, kind, seed + i);
          row.untouched += one.untouched;
          row.back += one.untouched - one.lost.length;
          row.invented += one.invented.length;
          row.doubtful += one.survey.keys.doubtful;
          row.guessed += one.survey.keys.guessedDatabase;
          row.worstLost = Math.max(row.worstLost, one.lost.length);
          row.ms += one.surveyMs;
          if (one.lost.length > 5 || one.invented.length > 0) row.seeds.push(seed + i);
        }
        rows.push(row);
        onKind(row);
      }
    }
    return rows;
  }
}

/** Without the database. */
function nameOf({ name }) {
  return name.slice(name.indexOf(' ') + 1);
}

function sameRecord(found, wanted) {
  if (found === undefined || found.type !== wanted.type || found.expiry !== wanted.expiry) return false;
  return found.value.equals(wanted.value);
}

/** Where in the damaged file the bytes of the salvaged one stood. */
function offsetsInSource(survey) {
  const starts = [];
  let selected = 0;
  let at = 9;
  for (const { start, end, keys, database, databaseEnd } of survey.segments) {
    if (keys > 0 && database !== selected) at += database < 64 ? 2 : 3;
    starts.push([at, start]);
    at += end - start;
    if (keys > 0 || databaseEnd !== database) selected = databaseEnd;
  }
  return (offset) => {
    const found = starts.findLast(([from]) => from <= offset);
    return found[1] + offset - found[0];
  };
}
