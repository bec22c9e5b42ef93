import { SERVER_MESSAGES } from './catalog.js';
import type { Saying, ServerMessage } from './message.js';
import { type Captures, folded, matchTemplate, type Template, templateOf, wordsOf } from './template.js';

/** A message that stands in a line. */
export interface Recognised {
  readonly message: ServerMessage;
  readonly saying: Saying;
  readonly captures: Captures;
}

/** A known message that looks like a line, though it is not in it. */
export interface Likeness {
  readonly message: ServerMessage;
  readonly saying: Saying;
}

interface Entry {
  readonly message: ServerMessage;
  readonly saying: Saying;
  readonly template: Template;
}

const ENTRIES: readonly Entry[] = SERVER_MESSAGES.flatMap((message) =>
  message.says.map((saying) => ({ message, saying, template: templateOf(saying.text) })),
);

/** In how many wordings each word stands. */
const FREQUENCY = new Map<string, number>();
for (const { template } of ENTRIES) {
  for (const word of new Set(template.words)) FREQUENCY.set(word, (FREQUENCY.get(word) ?? 0) + 1);
}

/** Wordings by their rarest word: a line without that word cannot hold them. */
const BY_WORD = new Map<string, Entry[]>();
for (const entry of ENTRIES) {
  const word = rarest(entry.template.words);
  const found = BY_WORD.get(word);
  if (found === undefined) BY_WORD.set(word, [entry]);
  else found.push(entry);
}

/** '' when there is none: such a wording is looked for in every line. */
function rarest(words: readonly string[]): string {
  const rarity = (word: string) => (FREQUENCY.get(word) ?? 0) - word.length / 100;
  return [...words].sort((a, b) => rarity(a) - rarity(b))[0] ?? '';
}

/** Every message in a line, the one with the longest wording first; of each message one wording. */
export function recognise(line: string): Recognised[] {
  const lower = folded(line);
  const found: Entry[] = [];
  const captured = new Map<Entry, Captures>();
  for (const word of new Set(['', ...wordsOf(lower)])) {
    for (const entry of BY_WORD.get(word) ?? []) {
      const captures = matchTemplate(entry.template, line, lower);
      if (captures === null) continue;
      captured.set(entry, captures);
      found.push(entry);
    }
  }
  found.sort((a, b) => b.template.weight - a.template.weight);
  const first = found.filter(({ message }, i) => found.findIndex((each) => each.message === message) === i);
  return first.map((entry) => ({
    message: entry.message,
    saying: entry.saying,
    captures: captured.get(entry)!,
  }));
}

const ALIKE_LEAST = 0.34;

/** Known messages that share the most telling words with a line, the likest first. */
export function likest(line: string, most: number): Likeness[] {
  const words = new Set(wordsOf(folded(line)));
  const worth = (word: string) => 1 / (FREQUENCY.get(word) ?? 1);
  const scored = ENTRIES.map((entry) => {
    const own = new Set(entry.template.words);
    let shared = 0;
    let all = 0;
    let count = 0;
    for (const word of own) {
      all += worth(word);
      if (!words.has(word)) continue;
      shared += worth(word);
      count++;
    }
    // Alike by a word or two is alike by chance.
    return { entry, score: count < 3 ? 0 : shared / all };
  });
  const alike = scored.filter(({ score }) => score >= ALIKE_LEAST).sort((a, b) => b.score - a.score);
  const seen = new Set<ServerMessage>();
  const best: Likeness[] = [];
  for (const { entry } of alike) {
    if (seen.has(entry.message) || best.length === most) continue;
    seen.add(entry.message);
    best.push({ message: entry.message, saying: entry.saying });
  }
  return best;
}
