/** A key that was pressed: its name, or the character itself. */
export type Key = string;

const SEQUENCES: Readonly<Record<string, Key>> = {
  '\u001b[A': 'up',
  '\u001b[B': 'down',
  '\u001b[C': 'right',
  '\u001b[D': 'left',
  '\u001bOA': 'up',
  '\u001bOB': 'down',
  '\u001bOC': 'right',
  '\u001bOD': 'left',
  '\u001b[H': 'home',
  '\u001b[F': 'end',
  '\u001bOH': 'home',
  '\u001bOF': 'end',
  '\u001b[1~': 'home',
  '\u001b[4~': 'end',
  '\u001b[5~': 'pageup',
  '\u001b[6~': 'pagedown',
  '\u001b[3~': 'delete',
  '\u001b[Z': 'backtab',
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\u007f': 'backspace',
  '\b': 'backspace',
  '\u001b': 'escape',
  '\u0003': 'interrupt',
  '\u001a': 'suspend',
  '\u000c': 'redraw',
  '\u0015': 'clear',
};

const LONGEST = Math.max(...Object.keys(SEQUENCES).map((sequence) => sequence.length));

/** The keys in a chunk of terminal input. Sequences that mean nothing here are passed over. */
export function keysIn(text: string): Key[] {
  const keys: Key[] = [];
  for (let at = 0; at < text.length; ) {
    const known = sequenceAt(text, at);
    if (known !== null) {
      keys.push(SEQUENCES[known]!);
      at += known.length;
      continue;
    }
    const unknown = /^\u001b(?:\[[0-9;?]*[ -/]*[@-~]|O.|.)/s.exec(text.slice(at));
    if (unknown !== null) {
      at += unknown[0].length;
      continue;
    }
    const character = String.fromCodePoint(text.codePointAt(at)!);
    if (character >= ' ') keys.push(character);
    at += character.length;
  }
  return keys;
}

/** The longest known sequence there; an escape counts alone only at the end of the chunk. */
function sequenceAt(text: string, at: number): string | null {
  for (let length = LONGEST; length > 0; length--) {
    const sequence = text.slice(at, at + length);
    if (sequence.length !== length || !(sequence in SEQUENCES)) continue;
    if (sequence === '\u001b' && at + 1 < text.length) return null;
    return sequence;
  }
  return null;
}
