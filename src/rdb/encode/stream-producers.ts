import type { Long } from '../../bytes/int64.js';
import type { ByteSlice } from '../../bytes/slice.js';
import { DEFAULT_IDEMPOTENCE, isDefaultIdempotence, type StreamIdempotence } from '../../model/handler.js';
import type { StreamId } from '../../model/stream-id.js';
import { type RdbOutput, SideOutput, writeIdLengths } from './output.js';

/** What a stream remembers of its producers; waits in memory, as counts stand in front. */
export class ProducersEncoder {
  private readonly all: SideOutput;
  private readonly messages: SideOutput;
  private settings: StreamIdempotence = DEFAULT_IDEMPOTENCE;
  private producers = 0;
  private messageCount = 0;
  private added: Long = 0;
  private duplicates: Long = 0;

  constructor(compress: boolean) {
    this.all = new SideOutput(compress);
    this.messages = new SideOutput(compress);
  }

  begin(): void {
    this.all.reset();
    this.messages.reset();
    this.settings = DEFAULT_IDEMPOTENCE;
    this.producers = this.messageCount = 0;
    this.added = this.duplicates = 0;
  }

  configure(settings: StreamIdempotence): void {
    this.settings = settings;
  }

  producer(name: ByteSlice): void {
    this.closeProducer();
    this.producers++;
    this.all.output.text(name.bytes, name.start, name.end);
  }

  message(messageId: ByteSlice, id: StreamId): void {
    this.messageCount++;
    this.messages.output.text(messageId.bytes, messageId.start, messageId.end);
    writeIdLengths(this.messages.output, id);
  }

  totals(added: Long, duplicates: Long): void {
    this.added = added;
    this.duplicates = duplicates;
  }

  /** True when there is anything that a server would not assume by itself. */
  get remembers(): boolean {
    const counted = this.producers > 0 || this.added !== 0 || this.duplicates !== 0;
    return counted || !isDefaultIdempotence(this.settings);
  }

  private closeProducer(): void {
    if (this.producers === 0) return;
    this.all.output.length(this.messageCount);
    this.messages.moveTo(this.all.output);
    this.messageCount = 0;
  }

  write(output: RdbOutput): void {
    this.closeProducer();
    output.length(this.settings.durationSeconds);
    output.length(this.settings.entriesMax);
    output.length(this.producers);
    this.all.moveTo(output);
    output.longLength(this.added);
    output.longLength(this.duplicates);
  }
}
