import type { ModuleFields } from './fields.js';
import { doubleText, JsonText } from './json-text.js';

/** Kinds of node, one bit each. */
const NULL = 1;
const STRING = 2;
const NUMBER = 4;
const INTEGER = 8;
const BOOLEAN = 16;
const OBJECT = 32;
const ARRAY = 64;
const MEMBER = 128;
/** A node of an array: its kind alone. A member: kind, an empty name, and the kind of its value. */
const NODE_BYTES_MIN = 2;
const MEMBER_BYTES_MIN = 6;

/** A document saved node by node, parents first: its text. */
export function jsonTree(fields: ModuleFields): string {
  const text = new JsonText(fields);
  do {
    if (text.wantsName) {
      const kind = fields.small();
      if (kind !== MEMBER) throw fields.bad({ reason: 'no-member', kind });
      text.name(fields.text().toString());
    }
    node(fields, text);
  } while (!text.complete);
  return text.text();
}

function node(fields: ModuleFields, text: JsonText): void {
  const kind = fields.small();
  switch (kind) {
    case NULL:
      text.scalar('null');
      break;
    case STRING:
      text.string(fields.text().toString());
      break;
    case NUMBER:
      text.scalar(doubleText(fields.double()));
      break;
    case INTEGER:
      text.scalar(String(fields.signed()));
      break;
    case BOOLEAN:
      text.scalar(fields.text().toString('latin1') === '1' ? 'true' : 'false');
      break;
    case OBJECT:
      text.open(true, fields.count(MEMBER_BYTES_MIN));
      break;
    case ARRAY:
      text.open(false, fields.count(NODE_BYTES_MIN));
      break;
    default:
      throw fields.bad({ reason: 'unknown-node', kind });
  }
}
