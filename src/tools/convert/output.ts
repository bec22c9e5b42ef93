import { basename } from 'node:path';
import { nothing, writeAofFiles } from '../../aof/writer.js';
import { DirectoryTarget } from '../../bytes/directory-target.js';
import { type Disk, localDisk } from '../../bytes/disk.js';
import {
  assertPacks,
  type OutputPacking,
  type PackingTarget,
  packingTarget,
} from '../../bytes/packing-target.js';
import type { ByteSlice } from '../../bytes/slice.js';
import { type ByteTarget, FileTarget } from '../../bytes/target.js';
import { VcsTarget } from '../../bytes/vcs-target.js';
import { assert } from '../../errors.js';
import { CommandEmitter } from '../../keyspace/emit.js';
import type { ItemHandler, KeyHead } from '../../model/handler.js';
import { NdjsonWriter } from '../../ndjson/writer.js';
import type { RdbHeader } from '../../rdb/handler.js';
import { RdbWriter } from '../../rdb/writer.js';
import type { RdbTarget } from '../../rdb/writer-target.js';
import { folderIn, type Loss } from '../write-dataset.js';
import { CsvWriter } from './csv.js';
import type { ConvertForm } from './forms.js';
import { ParquetKeys } from './parquet.js';
import { loadParquet, type ParquetPackage } from './parquet-file.js';

/** What every writer of a form has. What stands around the dataset goes to those that keep it. */
export interface DatasetWriter extends ItemHandler {
  readonly keys: number;
  readonly full: boolean;
  drain(): Promise<void>;
  finish(): void;
  header?(header: RdbHeader): void;
  aux?(name: ByteSlice, value: ByteSlice): void;
  moduleAux?(fragment: ByteSlice, last: boolean): void;
  slotImport?(job: ByteSlice, slots: number): void;
  resize?(keys: number, expires: number): void;
}

/** What the writers must know. */
export interface WritingOptions {
  /** The server the output is for; of no meaning for forms that none loads. */
  readonly target: RdbTarget;
  /** Take values that the target loads as they stand byte for byte. */
  readonly copyValues: boolean;
  /** An RDB as Valkey's compressed stream. */
  readonly compressedStream: boolean;
  readonly nowMs: number;
  readonly onLoss: (head: KeyHead | null, what: Loss['what']) => void;
  /** How a key is shown in an error; one character per byte. */
  readonly shown: (name: string) => string;
}

/** Where one output goes. `stream`: what went in cannot be taken back. */
export interface OutputPlace {
  readonly path: string;
  readonly form: ConvertForm;
  /** How the file is compressed as a whole; null: not at all. */
  readonly packing: OutputPacking | null;
  readonly force: boolean;
  readonly disk?: Disk;
  /** Where `-` goes; null: nowhere. */
  readonly stream: ByteTarget | null;
}

/** One output: its place is taken first, its writer made when it is known who wrote the source, and shown at the end. */
export class ConvertOutput {
  private made: DatasetWriter | null = null;
  private writing: Promise<unknown> = Promise.resolve();
  private release: (() => void) | null = null;
  private content: ByteTarget;
  /** What compresses the file, innermost first. */
  private readonly packers: PackingTarget[] = [];
  private parquet: ParquetPackage | null = null;

  private constructor(
    readonly place: OutputPlace,
    private readonly target: FileTarget | ByteTarget,
    private readonly directory: DirectoryTarget | null,
  ) {
    this.content = target;
    if (place.packing !== null) this.pack(packingTarget(place.packing, target));
  }

  private pack(packer: PackingTarget): void {
    this.packers.unshift(packer);
    this.content = packer;
  }

  /**
   * @throws UsageError when something stands there and `force` is not given, or what it takes to write the form is not
   * there, OutputError when it cannot be written
   */
  static async take(place: OutputPlace): Promise<ConvertOutput> {
    if (place.packing !== null) assertPacks(place.packing);
    const parquet = place.form === 'parquet' ? await loadParquet() : null;
    const output = await ConvertOutput.at(place);
    output.parquet = parquet;
    return output;
  }

  private static async at(place: OutputPlace): Promise<ConvertOutput> {
    const { path, form, force, stream, disk = localDisk } = place;
    if (path === '-') {
      assert(stream !== null, 'standard output is given where it is asked for');
      return new ConvertOutput(place, stream, null);
    }
    if (form !== 'aofdir')
      return new ConvertOutput(place, await FileTarget.create(path, { force, disk }), null);
    const directory = await DirectoryTarget.create(path, { force, disk });
    try {
      return await ConvertOutput.inDirectory(place, directory);
    } catch (error) {
      await directory.discard();
      throw error;
    }
  }

  /** The base of a log, with the rest of its directory to follow when it is finished. */
  private static inDirectory(place: OutputPlace, directory: DirectoryTarget): Promise<ConvertOutput> {
    return new Promise((resolve, reject) => {
      const write = (base: ByteTarget): Promise<void> =>
        new Promise((release) => {
          const output = new ConvertOutput(place, base, directory);
          output.release = release;
          queueMicrotask(() => {
            output.writing = files;
            resolve(output);
          });
        });
      const files = writeAofFiles(directory, folderIn(place.path), {
        filename: 'appendonly.aof',
        base: { seq: 1, format: 'rdb', write },
        increments: [{ seq: 1, write: nothing }],
      });
      files.catch(reject);
    });
  }

  /** The writer; made by `open`. */
  get writer(): DatasetWriter {
    assert(this.made !== null, 'an output is opened before it is written');
    return this.made;
  }

  open(options: WritingOptions): void {
    if (options.compressedStream) this.pack(new VcsTarget(this.content));
    this.made = this.writerOf(options);
  }

  private writerOf(options: WritingOptions): DatasetWriter {
    const { target, copyValues, compressedStream, nowMs, onLoss } = options;
    const { form } = this.place;
    const { content } = this;
    switch (form) {
      case 'ndjson':
        return new NdjsonWriter(content, { frame: 'lines' });
      case 'json':
        return new NdjsonWriter(content, { frame: 'document' });
      case 'csv':
        return new CsvWriter(content);
      case 'parquet':
        assert(this.parquet !== null, 'what writes Parquet is loaded with the place of an output');
        return new ParquetKeys(this.parquet, content, options);
      case 'resp':
        return new CommandEmitter(content, { target, onLoss, nowMs });
      default: {
        const preamble = form === 'aofdir' || (form === 'aof' && target.aux.startsWith('aof-'));
        if (form === 'aof' && !preamble) return new CommandEmitter(content, { target, onLoss, nowMs });
        return new RdbWriter(content, {
          target,
          // The stream around it does both.
          compress: !compressedStream,
          checksum: !compressedStream,
          copyValues: copyValues && !compressedStream,
          aofBase: preamble,
          nowSeconds: Math.floor(nowMs / 1000),
          onLoss,
        });
      }
    }
  }

  /** Ends the content. Nothing shows yet. @throws OutputError */
  async finish(): Promise<void> {
    this.writer.finish();
    for (const packer of this.packers) await packer.end();
    await this.content.drain();
    // A medium that is full should be known before any of several outputs shows.
    if (this.target instanceof FileTarget) await this.target.flush();
    this.release?.();
    await this.writing;
  }

  /** Bytes of the file, or of the directory's data. */
  get bytes(): number {
    return this.target.size;
  }

  /** How messages name it. */
  get name(): string {
    return basename(this.place.path);
  }

  /** Where a directory that stood there was moved; null when there was none. */
  get backupPath(): string | null {
    return this.directory?.backupPath ?? null;
  }

  /** @throws OutputError */
  publish(): Promise<void> {
    return (this.directory ?? this.content).publish();
  }

  /** Takes everything back that was not published. May be called twice. */
  async close(): Promise<void> {
    this.release?.();
    await this.writing.catch(() => {});
    await (this.directory ?? this.content).discard();
  }
}
