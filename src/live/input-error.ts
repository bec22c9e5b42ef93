import { InputError, OutputError } from '../errors.js';

/** A server that something is read from: what went wrong with it is wrong with a source, not with a target. */
export function asInputError(error: unknown, label: string): Error {
  if (error instanceof OutputError) return new InputError('input/server', label, error.message, error.hint);
  return error as Error;
}
