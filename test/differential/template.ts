import type { Random } from '../support/random.js';
import type { Word } from './connection.js';

/**
 * Forms of commands, written as their syntax is in manuals: `ZADD <z> {NX|XX|CH} (<score> <member>)*`.
 *
 *     WORD         itself, in any case
 *     <kind>       a word of that kind
 *     (a|b c|)     one of them; with * behind it several times, the choice made anew
 *     {a|b c}      some of them, in any order
 *     #(…)*        the same as (…)*, behind their number
 */
export interface Template {
  make(random: Random, draw: (kind: string) => Word): Word[];
}

type Part =
  | { readonly type: 'word'; readonly text: string }
  | { readonly type: 'kind'; readonly name: string }
  | { readonly type: 'one' | 'some'; readonly choices: readonly Part[][]; many: boolean; counted: boolean };

export function template(text: string): Template {
  const parser = new Parser(text);
  const parts = parser.sequence();
  parser.end();
  return {
    make(random, draw) {
      const words: Word[] = [];
      for (const part of parts) expand(part, random, draw, words);
      return words;
    },
  };
}

class Parser {
  private at = 0;

  constructor(private readonly text: string) {}

  end(): void {
    if (this.at < this.text.length) throw new Error(`stray ${this.text[this.at]} in ${this.text}`);
  }

  sequence(): Part[] {
    const parts: Part[] = [];
    for (;;) {
      while (this.text[this.at] === ' ') this.at++;
      const mark = this.text[this.at];
      if (mark === undefined || mark === '|' || mark === ')' || mark === '}') return parts;
      parts.push(this.part(mark));
    }
  }

  private part(mark: string): Part {
    const counted = mark === '#' && this.text[this.at + 1] === '(';
    if (counted) this.at++;
    const opening = this.text[this.at]!;
    if (opening === '(' || opening === '{') return this.choices(opening === '(' ? 'one' : 'some', counted);
    if (opening === '<') {
      const end = this.text.indexOf('>', this.at);
      const name = this.text.slice(this.at + 1, end);
      this.at = end + 1;
      return { type: 'kind', name };
    }
    const [word] = /^[^ |(){}<]+/.exec(this.text.slice(this.at))!;
    this.at += word.length;
    return { type: 'word', text: word };
  }

  private choices(type: 'one' | 'some', counted: boolean): Part {
    const choices: Part[][] = [];
    do {
      this.at++;
      choices.push(this.sequence());
    } while (this.text[this.at] === '|');
    this.at++;
    const many = this.text[this.at] === '*';
    if (many) this.at++;
    return { type, choices, many, counted };
  }
}

function expand(part: Part, random: Random, draw: (kind: string) => Word, words: Word[]): void {
  if (part.type === 'word') {
    words.push(inAnyCase(part.text, random));
  } else if (part.type === 'kind') {
    words.push(draw(part.name));
  } else if (part.type === 'some') {
    const left = [...part.choices];
    while (left.length > 0 && random.once(2)) {
      for (const inner of left.splice(random.below(left.length), 1)[0]!) expand(inner, random, draw, words);
    }
  } else {
    const times = part.many ? (random.once(30) ? random.between(20, 200) : random.between(1, 4)) : 1;
    if (part.counted) words.push(random.once(40) ? draw('integer') : String(times));
    for (let i = 0; i < times; i++) {
      for (const inner of random.pick(part.choices)) expand(inner, random, draw, words);
    }
  }
}

function inAnyCase(word: string, random: Random): string {
  if (!random.once(5)) return word;
  if (random.once(2)) return word.toLowerCase();
  return [...word].map((letter) => (random.once(2) ? letter.toLowerCase() : letter)).join('');
}
