import { GrowingBytes } from '../bytes/growing-bytes.js';
import type { Long } from '../bytes/int64.js';
import type { ByteTarget } from '../bytes/target.js';
import type { KeyHead } from '../model/handler.js';
import { FORMAT_VERSION } from './format.js';
import { JsonOutput } from './output.js';

/** A field that stands around a dataset. */
type AuxField = readonly [name: Buffer, value: Buffer];

/** The objects that make up the output, and which line each stands on. */
export class RecordFrame {
  readonly out: JsonOutput;
  private opened = false;
  private readonly auxFields: AuxField[] = [];
  private records = 0;
  private start = 0;
  private part = 0;
  private prefix = '';
  private readonly name = new GrowingBytes();

  constructor(
    target: ByteTarget,
    readonly lines: boolean,
    /** Bytes of a line after which a value goes on in the next. */
    readonly lineBytes: number,
  ) {
    this.out = new JsonOutput(target);
  }

  /** Takes a field of the source: those in front of the data go into the first line. */
  aux(name: Buffer, value: Buffer): void {
    if (!this.opened) {
      this.auxFields.push([name, value]);
      return;
    }
    this.begin();
    this.out.literal('{"aux":');
    this.auxField([name, value]);
    this.end();
  }

  private auxField([name, value]: AuxField): void {
    const { out } = this;
    out.literal('[');
    out.text(name, 0, name.length);
    out.literal(',');
    out.text(value, 0, value.length);
    out.literal(']');
  }

  /** Takes records that are text already; in a document they are not the first. */
  append(json: Uint8Array): void {
    this.open();
    this.out.append(json);
  }

  /** True when something stands in front of the next record that only the first has not. */
  get hasRecords(): boolean {
    return this.records > 0;
  }

  /** Goes on in the record of a key whose line, of which so many bytes are written, is that part of its value. */
  resumeKey(head: KeyHead, lineBytes: number, part: number): void {
    this.takeName(head);
    this.part = part;
    this.start = this.out.size - lineBytes;
  }

  private open(): void {
    if (this.opened) return;
    this.opened = true;
    const { out } = this;
    out.literal(`{"rekindle":${FORMAT_VERSION},"origin":[`);
    this.auxFields.forEach((field, index) => {
      if (index > 0) out.literal(',');
      this.auxField(field);
    });
    out.literal(this.lines ? ']}\n' : '],"records":[');
  }

  begin(): void {
    this.open();
    if (!this.lines) this.out.literal(this.records > 0 ? ',\n' : '\n');
    this.records++;
    this.start = this.out.size;
  }

  end(): void {
    this.out.literal(this.lines ? '}\n' : '}');
  }

  /** Begins the record of a key and says which it is. */
  beginKey(head: KeyHead): void {
    this.takeName(head);
    this.part = 1;
    this.begin();
    this.place();
    this.out.literal(`,"type":"${head.kind}"`);
  }

  private takeName(head: KeyHead): void {
    this.name.reset();
    this.name.put(head.key.bytes, head.key.start, head.key.end);
    this.prefix = `{"db":${head.database},"key":`;
  }

  private place(): void {
    this.out.literal(this.prefix);
    this.out.text(this.name.bytes, 0, this.name.end);
  }

  property(name: string, value: Long): void {
    this.out.literal(`,"${name}":`);
    this.out.integer(value);
  }

  /** True when the line at hand has become so long that the value should go on in the next. */
  get long(): boolean {
    return this.lines && this.out.size - this.start > this.lineBytes;
  }

  /** Ends the line of a value that goes on, and begins the next. */
  nextPart(): void {
    this.out.literal(',"more":true');
    this.end();
    this.begin();
    this.place();
    this.property('part', ++this.part);
  }

  /** Ends the output; its owner publishes it. */
  finish(): void {
    this.open();
    if (!this.lines) this.out.literal('\n]}\n');
    this.out.flush();
  }
}
