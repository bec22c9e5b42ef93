import type { StreamId } from '../../model/stream-id.js';
import type { CommandSpans } from '../../resp/command.js';
import { longAt } from '../integers.js';
import type { References, StreamValue } from '../stream/stream.js';
import { BAD_ID, idAtArgument } from './streams-arguments.js';

/** What the options of XADD and XTRIM say. One object serves all commands. */
export class TrimOptions {
  /** The first argument that is no option: the id of an XADD. */
  next = 0;
  createsKey = true;
  /** Entries to leave; -1: none given. */
  private maxLength = -1;
  private minId: StreamId | null = null;
  private wholeNodes = false;
  /** Redis 8.2: what trimming does to groups that refer to entries. Null: none given. */
  private references: References | null = null;
  /** Redis 8.6: the arguments with the names of producer and message; 0: none, for the message also: made of the fields. */
  producer = 0;
  message = 0;

  /** Reads the options from argument 2; returns an error message, or '' when all is well. */
  read(command: CommandSpans, isAdd: boolean): string {
    this.createsKey = true;
    this.maxLength = -1;
    this.minId = this.references = null;
    this.wholeNodes = false;
    this.producer = this.message = 0;
    let limited = false;
    let i = 2;
    for (; i < command.argc; i++) {
      const last = i === command.argc - 1;
      if (isAdd && command.is(i, '*')) break;
      if (!last && (command.is(i, 'MAXLEN') || command.is(i, 'MINID'))) {
        if (this.trims) return INCOMPATIBLE;
        const byId = command.is(i, 'MINID');
        this.wholeNodes = command.is(i + 1, '~');
        if (i + 2 < command.argc && (this.wholeNodes || command.is(i + 1, '='))) i++;
        const error = this.readBound(command, ++i, byId);
        if (error !== '') return error;
      } else if (!last && command.is(i, 'LIMIT')) {
        const limit = longAt(command, ++i);
        if (limit === null) return NOT_INTEGER;
        if (limit < 0) return 'ERR The LIMIT argument must be >= 0.';
        limited = limit > 0;
      } else if (isAdd && command.is(i, 'NOMKSTREAM')) {
        this.createsKey = false;
      } else if (isAdd && !last && command.is(i, 'IDMPAUTO')) {
        const error = this.readProducer(command, i, false);
        if (error !== '') return error;
        i++;
      } else if (isAdd && i + 2 < command.argc && command.is(i, 'IDMP')) {
        const error = this.readProducer(command, i, true);
        if (error !== '') return error;
        i += 2;
      } else if (this.references === null && (this.references = referencesAt(command, i)) !== null) {
      } else if (isAdd) {
        break;
      } else {
        return SYNTAX;
      }
    }
    this.next = i;
    if (limited && !this.trims)
      return 'ERR syntax error, LIMIT cannot be used without specifying a trimming strategy';
    return this.trims || isAdd ? '' : 'ERR syntax error, XTRIM must be called with a trimming strategy';
  }

  private get trims(): boolean {
    return this.maxLength >= 0 || this.minId !== null;
  }

  private readBound(command: CommandSpans, i: number, byId: boolean): string {
    if (byId) {
      this.minId = idAtArgument(command, i);
      return this.minId === null ? BAD_ID : '';
    }
    const length = longAt(command, i);
    if (length === null) return NOT_INTEGER;
    if (length < 0) return 'ERR The MAXLEN argument must be >= 0.';
    this.maxLength = Number(length);
    return '';
  }

  private readProducer(command: CommandSpans, i: number, withMessage: boolean): string {
    if (this.producer > 0) return 'ERR syntax error, IDMP/IDMPAUTO specified multiple times';
    const name = withMessage ? 'IDMP' : 'IDMPAUTO';
    if (command.size(i + 1) === 0) return `ERR syntax error, ${name} requires a non-empty producer ID`;
    this.producer = i + 1;
    if (!withMessage) return '';
    this.message = i + 2;
    return command.size(i + 2) > 0 ? '' : 'ERR syntax error, IDMP requires a non-empty idempotent ID';
  }

  trim(stream: StreamValue): void {
    const { maxLength, minId, wholeNodes, references } = this;
    if (!this.trims) return;
    if (references !== null && references !== 'keep') stream.trimChecked(maxLength, minId, references);
    else if (minId !== null) stream.trimBefore(minId, wholeNodes);
    else stream.trimToLength(maxLength, wholeNodes);
  }
}

/** KEEPREF, DELREF or ACKED at argument i; null for other words. */
export function referencesAt(command: CommandSpans, i: number): References | null {
  if (command.is(i, 'KEEPREF')) return 'keep';
  if (command.is(i, 'DELREF')) return 'drop';
  return command.is(i, 'ACKED') ? 'respect' : null;
}

const SYNTAX = 'ERR syntax error';
const NOT_INTEGER = 'ERR value is not an integer or out of range';
const INCOMPATIBLE = 'ERR syntax error, MAXLEN and MINID options at the same time are not compatible';
