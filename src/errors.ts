/** Values an error carries for whoever words it: numbers and short texts, never buffers. */
export type ErrorDetail = Readonly<Record<string, string | number>>;

/**
 * Bad bytes in an input. Thrown by decoders, caught at the boundary of a tool and turned into a finding.
 * `offset` is the absolute byte offset in the file; `trail` names the structures around it, outermost first.
 */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly trail: string[] = [];
  /** The file of `offset`, once someone who knows it has named it. */
  file = '';

  constructor(
    readonly code: string,
    readonly offset: number,
    readonly detail: ErrorDetail = {},
  ) {
    super(`${code} at offset ${offset}`);
  }

  /** Names the file the bytes are in; the first name stands. Returns the same error. */
  inFile(file: string): this {
    if (this.file === '') this.file = file;
    return this;
  }

  /** Adds an enclosing structure to the trail as the error passes it. Returns the same error. */
  within(step: string): this {
    this.trail.unshift(step);
    return this;
  }
}

/** A source that cannot be read: missing, no permission, of no known format. One line for the user. */
export class InputError extends Error {
  override readonly name = 'InputError';

  constructor(
    readonly code: string,
    readonly path: string,
    message: string,
    readonly hint = '',
    /** What stood there instead, to be added to the message unless contents are to be hidden. */
    readonly quoted = '',
  ) {
    super(message);
  }
}

/** Options that are wrong or contradict each other, or an output that exists. */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  constructor(
    message: string,
    readonly hint = '',
  ) {
    super(message);
  }
}

/** An output or target that failed: disk full, no permission, refused. Nothing half-written is left behind. */
export class OutputError extends Error {
  override readonly name = 'OutputError';

  constructor(
    readonly path: string,
    message: string,
    readonly hint = '',
  ) {
    super(message);
  }
}

/** States what holds. A failure is a defect of rekindle, never of the input. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`internal error, please report it: ${message}`);
}

/** Ends a switch over a closed set of kinds. */
export function unreachable(value: never): never {
  throw new Error(`internal error, please report it: unexpected ${String(value)}`);
}
