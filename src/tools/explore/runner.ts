import type { LogContext, LogHandler, LogPlace } from '../../aof/log.js';
import type { AofFileEntry, AofSet } from '../../aof/set.js';
import type { Engine } from '../../keyspace/engine.js';
import { UNKNOWN } from '../../keyspace/outcome.js';
import { type RdbHandler, RdbSink } from '../../rdb/handler.js';
import type { CommandSpans } from '../../resp/command.js';

/** Executes what it is told and knows how far it is. */
export class Runner implements LogHandler {
  readonly full = false;
  private file: number;
  private offset: number;
  private number: number;
  private timeMs: number;

  constructor(
    private readonly set: AofSet,
    private readonly engine: Engine,
    from: LogPlace,
    private readonly unknown: Set<number>,
    readonly rdb: RdbHandler,
  ) {
    this.file = from.file;
    this.offset = from.offset;
    this.number = from.number;
    this.timeMs = from.timeMs;
  }

  get place(): LogPlace {
    const { file, offset, number, timeMs } = this;
    return { file, offset, number, timeMs, database: this.engine.selected };
  }

  fileStart(file: AofFileEntry): void {
    this.file = this.set.files.indexOf(file);
    this.offset = 0;
    this.engine.select(0);
  }

  apply(command: CommandSpans, context: LogContext): void {
    const outcome = this.engine.execute(command);
    if (outcome === UNKNOWN && !isFrame(command)) this.unknown.add(context.number);
    this.offset = context.offset + context.length;
    this.number = context.number;
    this.timeMs = context.timeMs;
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }
}

function isFrame(command: CommandSpans): boolean {
  return command.is(0, 'EXEC') || command.is(0, 'MULTI') || command.is(0, 'DISCARD');
}

/** Executes nothing. */
export class Counter implements LogHandler {
  readonly rdb = new RdbSink();
  readonly full = false;
  fileStart(): void {}
  apply(): void {}
  drain(): Promise<void> {
    return Promise.resolve();
  }
}
