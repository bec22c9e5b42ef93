/** Colours, or none. */
export class Style {
  constructor(private readonly enabled: boolean) {}

  readonly bold = (text: string): string => this.wrap(text, 1, 22);
  readonly red = (text: string): string => this.wrap(text, 31, 39);
  readonly green = (text: string): string => this.wrap(text, 32, 39);
  readonly yellow = (text: string): string => this.wrap(text, 33, 39);

  private wrap(text: string, on: number, off: number): string {
    return this.enabled ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  }
}
