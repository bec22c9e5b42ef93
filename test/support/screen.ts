/** What a terminal would show: as much of one as full-screen programs of ours need. */
export class Screen {
  private cells: string[][];
  private row = 0;
  private column = 0;
  private rest = '';
  /** True while the program has a screen of its own. */
  alternate = false;
  /** How often it took one. */
  entered = 0;
  cursorShown = true;
  /** Looks that were asked for, as the numbers of the sequences. */
  readonly looks = new Set<string>();
  /** What was written outside the screen of its own. */
  outside = '';

  constructor(
    readonly columns = 80,
    readonly rows = 24,
  ) {
    this.cells = this.blank();
  }

  write(text: string): void {
    const all = this.rest + text;
    this.rest = '';
    for (let at = 0; at < all.length; ) {
      if (all[at] === '\u001b') {
        const found = /^\u001b\[([?\d;]*)([A-Za-z])/.exec(all.slice(at, at + 32));
        if (found === null) {
          this.rest = all.slice(at);
          return;
        }
        this.control(found[1]!, found[2]!);
        at += found[0].length;
      } else {
        const character = String.fromCodePoint(all.codePointAt(at)!);
        this.put(character);
        at += character.length;
      }
    }
  }

  /** The lines as they stand, blanks at their ends left out. */
  text(): string {
    return `${this.cells
      .map((line) => line.join('').trimEnd())
      .join('\n')
      .trimEnd()}\n`;
  }

  private control(numbers: string, letter: string): void {
    if (letter === 'm') this.looks.add(numbers);
    else if (letter === 'H') [this.row, this.column] = placeOf(numbers);
    else if (letter === 'K') this.cells[this.row]?.fill(' ', this.column);
    else if (letter === 'J') this.cells = this.blank();
    else if (numbers === '?25') this.cursorShown = letter === 'h';
    else if (numbers === '?1049') {
      if (letter === 'h' && !this.alternate) this.entered++;
      this.alternate = letter === 'h';
      if (this.alternate) this.cells = this.blank();
    }
  }

  private put(character: string): void {
    if (!this.alternate) {
      this.outside += character;
      return;
    }
    const line = this.cells[this.row];
    if (line === undefined || this.column >= this.columns)
      throw new Error(`'${character}' is off the screen`);
    line[this.column++] = character;
  }

  private blank(): string[][] {
    return Array.from({ length: this.rows }, () => new Array<string>(this.columns).fill(' '));
  }
}

function placeOf(numbers: string): [number, number] {
  const [row = 1, column = 1] = numbers.split(';').map(Number);
  return [row - 1, column - 1];
}
