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
    const at = walk.text.read(cursor, cursor.position);
    if (at === SHORT) return NEED;
    cursor.position = at;
    out.text(walk.text.slice);
    return END;
  },
};
