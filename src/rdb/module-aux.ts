import { ByteSlice } from '../bytes/slice.js';
import { END, NEED, PAUSE, type Progress } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import { MODULE_UINT } from './constants.js';
import { type Cursor, SHORT } from './cursor.js';
import type { RdbHandler } from './handler.js';
import { MODULE_FIELDS, Skimmer } from './skim.js';
import { HashTemplates } from './templates.js';

/** Reads what a module keeps beside the keys: its id, when it was saved, tagged fields. */
export class ModuleAuxReader {
  private inFields = false;
  private readonly skimmer = new Skimmer(new HashTemplates());
  private readonly fragment = new ByteSlice();

  begin(): void {
    this.inFields = false;
  }

  run(cursor: Cursor, out: RdbHandler): Progress {
    try {
      if (!this.inFields && !this.readHead(cursor, out)) return NEED;
      return this.readFields(cursor, out);
    } catch (error) {
      throw error instanceof FormatError ? error.within('module aux') : error;
    }
  }

  private readHead(cursor: Cursor, out: RdbHandler): boolean {
    const start = cursor.position;
    const whenAt = cursor.length(start);
    if (whenAt === SHORT) return false;
    const middle = cursor.length(whenAt);
    if (middle === SHORT) return false;
    if (cursor.value !== MODULE_UINT) {
      throw new FormatError('rdb/bad-module', cursor.offsetOf(whenAt), { tag: cursor.value });
    }
    const end = cursor.length(middle);
    if (end === SHORT) return false;
    out.moduleAux(this.fragment.set(cursor.bytes, start, end), false);
    cursor.position = end;
    this.inFields = true;
    this.skimmer.begin([MODULE_FIELDS]);
    return true;
  }

  private readFields(cursor: Cursor, out: RdbHandler): Progress {
    const from = cursor.position;
    const done = this.skimmer.run(cursor);
    if (cursor.position === from) return NEED;
    const end = done ? cursor.position - this.skimmer.endTagBytes : cursor.position;
    out.moduleAux(this.fragment.set(cursor.bytes, from, end), done);
    if (done) return END;
    return out.full ? PAUSE : NEED;
  }
}
