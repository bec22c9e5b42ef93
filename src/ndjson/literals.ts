import type { ValueKind } from '../model/kind.js';

/**
 * What stands between the texts of NDJSON, in the order in which the kernel for whole records has it (assembly/line.ts);
 * types follow from `TYPE_LITERALS` on, as `typeLiteral` gives them.
 */
export function lineLiterals(frame: 'lines' | 'document'): string[] {
  const lines = frame === 'lines';
  return [
    '{"base64":"',
    '"}',
    '"inf"',
    '"-inf"',
    '-0',
    lines ? '{"db":' : ',\n{"db":',
    ',"key":',
    ',"part":',
    ',"value":',
    ',"value":[',
    ',"more":true}\n',
    lines ? '}\n' : '}',
    ',"fieldsExpire":true',
    ',"count":',
    ',"expiresAtMs":',
    ',"idleSeconds":',
    '{"entry":"',
    ',"fields":[',
    ',"fields":[]}',
    '],',
    ']]}',
    '{"length":',
    ',"lastId":"',
    ',"firstId":"',
    ',"maxDeletedId":"',
    ',"entriesAdded":',
    ',"freq":',
  ];
}

/** Index of the first literal that says a type. */
export const TYPE_LITERALS = 32;

export const typeLiteral = (kind: ValueKind): string => `,"type":"${kind}"`;
