import { highWord, lowWord } from '../../bytes/int64.js';
import { ByteSlice } from '../../bytes/slice.js';
import { END, NEED } from '../../bytes/window.js';
import { FormatError } from '../../errors.js';
import { INT64_TEXT_MAX, writeUint64 } from '../../kernels/decimal.js';
import { COUNT_INSIDE, type TypeCodec } from '../codec.js';
import { SHORT } from '../cursor.js';
import { LENGTH } from '../skim.js';

const slice = new ByteSlice();
const digits = Buffer.alloc(INT64_TEXT_MAX);
const TWO_63 = 2n ** 63n;

/** The theoretical arrival time of a rate limit, told as decimal text. In no release of Redis yet. */
export const gcra: TypeCodec = {
  kind: 'gcra',
  encoding: 'raw',
  unit: 'time',
  layout: [LENGTH],
  countAt: COUNT_INSIDE,
  neverEmpty: false,
  decode(_walk, cursor, out) {
    const at = cursor.length(cursor.position);
    if (at === SHORT) return NEED;
    const time = cursor.long();
    if (time >= TWO_63) {
      throw new FormatError('rdb/bad-length', cursor.offsetOf(cursor.position), {
        reason: 'time-out-of-range',
      });
    }
    cursor.position = at;
    out.text(slice.set(digits, 0, writeUint64(highWord(time), lowWord(time), digits, 0)));
    return END;
  },
};
