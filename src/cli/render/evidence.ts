import type { EvidenceInput } from '../../tools/evidence.js';
import type { Session } from '../session.js';
import { VERSION } from '../version.js';
import type { Json } from './json.js';

/** The fields of `--evidence`: what was read, by which program, with which options, and what came of it. */
export function evidenceFields(
  inputs: readonly EvidenceInput[],
  options: Readonly<Record<string, Json | undefined>>,
  results: Json,
  session: Session,
): Readonly<Record<string, Json>> {
  const given = Object.entries(options).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return {
    tool: 'rekindle',
    version: VERSION,
    at: seconds(session.io.now()),
    options: Object.fromEntries(given) as Json,
    inputs: inputs.map(({ modifiedMs, mode, ...input }) => {
      const { name, path, bytes, ...rest } = input;
      return { name, path, bytes, modified: seconds(modifiedMs), mode: mode.toString(8), ...rest };
    }),
    results,
  };
}

const seconds = (ms: number): number => Math.floor(ms) / 1000;
