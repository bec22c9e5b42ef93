import type { ByteSource } from '../bytes/source.js';
import type { ByteTarget } from '../bytes/target.js';
import { FIRST_VERSION_WITH_CHECKSUM, OPCODE_SELECTDB } from '../rdb/constants.js';
import { dialectOf } from '../rdb/dialect.js';
import { RdbFile } from '../rdb/encode/file.js';
import { DEFAULT_LIMITS } from '../rdb/value-reader.js';
import { NameTable } from './rdb-names.js';
import { PartialWriter } from './rdb-partial.js';
import { RecordReader } from './rdb-record.js';
import type { RdbDoubtfulRange, RdbPartialValue, RdbSegment, RdbSurvey } from './rdb-report.js';
import { RoamingWindow } from './rdb-window.js';

export interface SalvagedRdbOptions {
  /** Write doubtful records too, those whose name is not taken. */
  readonly doubtful: boolean;
  /** Write what was read of damaged collections before the damage. */
  readonly partial: boolean;
  readonly signal: AbortSignal;
  /** Told now and then the absolute offset in the source reached. */
  readonly progress: (offset: number) => void;
}

export interface SalvagedRdb {
  readonly keysWritten: number;
  /** Of those: from doubtful records, and collections written in part. */
  readonly doubtfulWritten: number;
  readonly partialWritten: number;
  /** Names written once although they came more often. */
  readonly duplicatesDropped: number;
  readonly bytes: number;
}

/** A part of the source to be written, in the order of the file. */
type Piece =
  | { readonly what: 'segment'; readonly range: RdbSegment }
  | { readonly what: 'doubtful'; readonly range: RdbDoubtfulRange }
  | { readonly what: 'partial'; readonly range: RdbPartialValue };

/** Most of a segment is copied in pieces of this many bytes. */
const COPY = 1 << 20;

/**
 * Writes what a survey found whole as a fresh file of the same dialect and version: records as their bytes stand, the
 * database selected anew behind every damage, end mark and checksum (zero where the original was saved without one).
 * The output is complete then, and still to be published by its owner. Of an undamaged file it is the file.
 *
 * `source` must hold what was surveyed. @throws InputError when it fails, OutputError when the target does
 */
export async function writeSalvagedRdb(
  source: ByteSource,
  survey: RdbSurvey,
  target: ByteTarget,
  options: SalvagedRdbOptions,
): Promise<SalvagedRdb> {
  const limit = Math.min(survey.end, source.size ?? survey.end);
  const window = new RoamingWindow(source, limit, options.signal, survey.corrections);
  try {
    return await new SalvageWriter(window, survey, target, options).run();
  } finally {
    await window.close();
  }
}

class SalvageWriter {
  private readonly file: RdbFile;
  private readonly reader: RecordReader;
  private readonly names = new NameTable();
  private readonly partial: PartialWriter;
  private selected = 0;
  private keysWritten = 0;
  private doubtfulWritten = 0;
  private partialWritten = 0;

  constructor(
    private readonly window: RoamingWindow,
    private readonly survey: RdbSurvey,
    private readonly target: ByteTarget,
    private readonly options: SalvagedRdbOptions,
  ) {
    const { dialect: name, version } = survey.header;
    const dialect = dialectOf(name, version) ?? dialectOf('redis', version)!;
    this.file = new RdbFile(target, true);
    this.reader = new RecordReader(dialect, DEFAULT_LIMITS);
    this.reader.shallow = true;
    this.partial = new PartialWriter(window, dialect, this.file.output, this.reader.templates);
  }

  async run(): Promise<SalvagedRdb> {
    const { survey, options, file } = this;
    file.output.latin1Raw(survey.header.magic);
    if (options.doubtful || options.partial) await this.learnNames();
    for (const piece of this.pieces()) {
      if (piece.what === 'segment') await this.writeSegment(piece.range);
      else if (piece.what === 'doubtful') await this.writeDoubtful(piece.range);
      else await this.writePartial(piece.range);
    }
    file.end(this.trailer());
    return {
      keysWritten: this.keysWritten,
      doubtfulWritten: this.doubtfulWritten,
      partialWritten: this.partialWritten,
      duplicatesDropped: survey.keys.duplicate,
      bytes: this.target.size,
    };
  }

  private pieces(): Piece[] {
    const { survey, options } = this;
    const pieces: Piece[] = survey.segments.map((range) => ({ what: 'segment', range }));
    if (options.doubtful) for (const range of survey.doubtful) pieces.push({ what: 'doubtful', range });
    if (options.partial) for (const range of survey.partial) pieces.push({ what: 'partial', range });
    return pieces.sort((a, b) => a.range.start - b.range.start);
  }

  private trailer(): 'none' | 'zero' | 'checksum' {
    const { header, checksum } = this.survey;
    if (header.version < FIRST_VERSION_WITH_CHECKSUM) return 'none';
    return checksum === 'disabled' ? 'zero' : 'checksum';
  }

  private select(database: number): void {
    if (database === this.selected) return;
    this.file.output.byte(OPCODE_SELECTDB);
    this.file.output.length(database);
    this.selected = database;
  }

  private async writeSegment({ start, end, database, databaseEnd, keys }: RdbSegment): Promise<void> {
    if (keys > 0) this.select(database);
    await this.copy(start, end);
    this.selected = keys > 0 || databaseEnd !== database ? databaseEnd : this.selected;
    this.keysWritten += keys;
  }

  private async copy(start: number, end: number): Promise<void> {
    const { window, target, options } = this;
    for (let at = start; at < end; ) {
      await window.cover(at, Math.min(end, at + COPY));
      const stop = Math.min(end, window.end);
      this.file.output.raw(window.cursor.bytes, at - window.start, stop - window.start);
      at = stop;
      if (target.full) await target.drain();
      options.progress(at);
    }
  }

  /** The names of all that is written for certain, so that no other takes one of them. */
  private async learnNames(): Promise<void> {
    for (const range of this.survey.segments) {
      await this.eachRecord(range, range.database, (database) => {
        const { nameHigh, nameLow, kind } = this.reader;
        if (kind === 'key') this.names.add(database, nameHigh, nameLow);
        return Promise.resolve();
      });
    }
  }

  private async eachRecord(
    { start, end }: { readonly start: number; readonly end: number },
    from: number,
    take: (database: number) => Promise<void>,
  ): Promise<void> {
    const { reader, window } = this;
    let database = from;
    for (let at = start; at < end; ) {
      await window.cover(at, at + 1);
      reader.begin(window.cursor);
      while (!reader.run(window.cursor)) {
        const behind = window.offset + reader.passOver();
        await window.cover(behind, behind + Math.max(1, window.cursor.need));
      }
      if (reader.kind === 'database') database = reader.head.database;
      at = window.offset;
      await take(database);
    }
  }

  private writeDoubtful(range: RdbDoubtfulRange): Promise<void> {
    const { reader, names, window } = this;
    return this.eachRecord(range, range.database, async (database) => {
      if (reader.kind !== 'key') return;
      if (!names.add(database, reader.nameHigh, reader.nameLow)) return;
      const end = window.offset;
      this.select(database);
      await this.copy(reader.start, end);
      this.keysWritten++;
      this.doubtfulWritten++;
    });
  }

  private async writePartial(value: RdbPartialValue): Promise<void> {
    const written = await this.partial.write(value, (reader) => {
      if (!this.names.add(value.database, reader.nameHigh, reader.nameLow)) return false;
      this.select(value.database);
      return true;
    });
    if (!written) return;
    this.keysWritten++;
    this.partialWritten++;
  }
}
