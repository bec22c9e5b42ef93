import type { JsonDocument } from '../../model/module-value.js';
import { cborText } from './cbor.js';
import type { ModuleFields } from './fields.js';
import { jsonTree } from './json-tree.js';

const AS_TREE = 0;
const WITH_INDEX = 2;
const AS_TEXT = 3;

/** A document: node by node at first, its text later, and CBOR since arrays of numbers have a type. */
export function jsonDocument(fields: ModuleFields, version: number): JsonDocument {
  if (version === AS_TREE) return { type: 'json', text: jsonTree(fields) };
  if (version > AS_TEXT) return { type: 'json', text: cborText(fields.text(), fields) };
  const text = fields.text().toString();
  if (version === WITH_INDEX && fields.unsigned() !== 0) {
    // Name of an index and a path, of previews that indexed documents by themselves.
    fields.text();
    fields.text();
  }
  return { type: 'json', text };
}
