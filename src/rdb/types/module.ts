import { COUNT_INSIDE, type TypeCodec } from '../codec.js';
import type { ModuleId } from '../module-id.js';
import { LENGTH, MODULE_FIELDS } from '../skim.js';
import { VECTOR_SET_NAME, vectorSet } from './vector-set.js';

/** A value that only its module understands, made of tagged fields that anyone can walk. */
export const moduleValue: TypeCodec = {
  kind: 'module',
  encoding: 'module',
  unit: 'field',
  layout: [LENGTH, MODULE_FIELDS],
  countAt: COUNT_INSIDE,
  neverEmpty: false,
  decode: null,
};

/** How the values of a module are read: those of a few are understood. */
export function moduleCodec({ name, version }: ModuleId): TypeCodec {
  return name === VECTOR_SET_NAME && version === 0 ? vectorSet : moduleValue;
}
