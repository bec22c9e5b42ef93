import { FormatError, InputError, OutputError, UsageError } from '../../src/errors.js';
import { FINDINGS } from '../../src/model/finding.js';
import { DamageError } from '../../src/tools/report.js';
import { Broken } from './target.js';

/** What an input did that none may do. */
export interface Fault {
  readonly kind: 'error' | 'broken' | 'slow' | 'memory' | 'hang' | 'crash';
  /** The same for inputs that show the same defect. */
  readonly signature: string;
  readonly message: string;
}

/** Null for errors that are ours: of bad bytes, sources, options and outputs. */
export function faultOf(error: unknown): Fault | null {
  if (error instanceof FormatError) {
    if (error.code in FINDINGS && Number.isSafeInteger(error.offset) && error.offset >= 0) return null;
    return { kind: 'broken', signature: `format ${error.code}`, message: `${error.code} at ${error.offset}` };
  }
  if (error instanceof InputError || error instanceof UsageError || error instanceof OutputError) return null;
  if (error instanceof DamageError) return null;
  if (error instanceof Broken) return { kind: 'broken', signature: error.rule, message: error.message };
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const words = message.replace(/\d+/g, 'N').slice(0, 100);
  return { kind: 'error', signature: `${name} ${words} ${placeOf(stack)}`, message: stack ?? message };
}

/** The innermost functions, without their places in the bundle. */
function placeOf(stack = ''): string {
  return [...stack.matchAll(/^ +at (?:async )?([\w.<>$ ]+) \(/gm)]
    .slice(0, 2)
    .map(([, place]) => place)
    .join(' < ');
}
