import { COUNT_INSIDE, type TypeCodec } from '../codec.js';
import { LENGTH, MODULE_FIELDS } from '../skim.js';

/** As the type names itself in a module's id. */
export const VECTOR_SET_NAME = 'vectorset';

/** Redis 8: elements with vectors, and the graph that finds near ones. Told by its bytes and, beside them, by its elements. */
export const vectorSet: TypeCodec = {
  kind: 'module',
  encoding: 'module',
  unit: 'element',
  layout: [LENGTH, MODULE_FIELDS],
  countAt: COUNT_INSIDE,
  neverEmpty: false,
  decode(walk, cursor, out) {
    if (walk.step === 0) {
      walk.vectors.begin();
      walk.step = 1;
    }
    return walk.vectors.run(walk, cursor, out);
  },
};
