import { COUNT_INSIDE, type TypeCodec } from '../codec.js';
import { LENGTH, MODULE_FIELDS } from '../skim.js';

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
