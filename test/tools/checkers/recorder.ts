import type { CheckerHost } from '../../../src/tools/checkers/host.js';

/** Gathers what a checker says; `answer` is asked whether to go on. */
export class CheckerRecorder implements CheckerHost {
  readonly lines: string[] = [];
  readonly notes: string[] = [];

  constructor(private readonly answer: () => boolean = () => true) {}

  line(text: string): void {
    this.lines.push(text);
  }

  note(text: string): void {
    this.notes.push(text);
  }

  confirm(): Promise<boolean> {
    return Promise.resolve(this.answer());
  }

  path(path: string): string {
    return path;
  }

  bytes(latin1: string): string {
    return latin1;
  }

  reason(error: { readonly code: string }): string {
    return error.code;
  }
}
