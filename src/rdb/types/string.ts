import { END, NEED } from '../../bytes/window.js';
import { COUNT_INSIDE, type TypeCodec } from '../codec.js';
import { SHORT } from '../cursor.js';
import { STRING } from '../skim.js';

export const string: TypeCodec = {
  kind: 'string',
  encoding: '',
  unit: 'string',
  layout: [STRING],
  countAt: COUNT_INSIDE,
  neverEmpty: false,
  decode(walk, cursor, out) {
    if (walk.inFragments && walk.step === 0) {
      const length = walk.large.lengthAt(cursor, cursor.position);
      if (length === null) return NEED;
      if (length >= 0) {
        if (!walk.large.begin(cursor)) return NEED;
        walk.step = 1;
      }
    }
    if (walk.step === 1) return walk.large.run(cursor, out);
    const at = walk.text.read(cursor, cursor.position);
    if (at === SHORT) return NEED;
    cursor.position = at;
    out.text(walk.text.slice);
    return END;
  },
};
