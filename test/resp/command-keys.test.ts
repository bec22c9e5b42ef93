import { expect, it } from 'vitest';
import { KNOWN_COMMANDS } from '../../src/model/commands.js';
import { CommandSpans } from '../../src/resp/command.js';
import { KeyArguments } from '../../src/resp/command-keys.js';
import { describeServer, withServer } from '../support/server.js';

const finder = new KeyArguments();

function keysOf(line: string): string[] {
  const command = CommandSpans.of(...line.split(' ').map((word) => (word === '""' ? '' : word)));
  const { at, count } = finder.find(command);
  return [...at.subarray(0, count)].map((i) => command.latin1(i));
}

/** Forms in which the place of the keys depends on other arguments. */
const SPECIAL = [
  'SORT a BY w_* LIMIT 0 5 GET # GET store STORE b ALPHA',
  'SORT a STORE b STORE c',
  'SORT a GET STORE',
  'GEORADIUS a 1 2 3 km STORE b',
  'GEORADIUSBYMEMBER a STORE 3 km COUNT 1 STOREDIST c',
  'GEORADIUS a 1 2 3 km WITHDIST',
  'XREAD COUNT 2 BLOCK 0 STREAMS a b 0 0',
  'XREAD STREAMS a 0',
  'XREADGROUP GROUP STREAMS c COUNT 1 NOACK STREAMS a b > >',
  'MIGRATE host 1 a 0 100',
  'MIGRATE host 1 "" 0 100 COPY REPLACE AUTH KEYS KEYS a b c',
  'MIGRATE host 1 "" 0 100 AUTH2 KEYS KEYS KEYS a',
  'ZUNIONSTORE d 2 a b WEIGHTS 1 2 AGGREGATE MAX',
  'ZDIFFSTORE d 1 a',
  'EVAL return 2 a b x y',
  'EVALSHA abc 0 x',
  'FCALL f 1 a x',
  'BLMPOP 0 2 a b LEFT',
  'LMPOP 1 a RIGHT COUNT 2',
  'BITOP AND d a b c',
  'BLPOP a b 0',
  'MSET a 1 b 2 c 3',
  'COPY a b DB 3 REPLACE',
  'XGROUP CREATE a g $ MKSTREAM',
  'PFDEBUG TODENSE a',
  'OBJECT FREQ a',
  'DEL a b c',
];

it('finds the keys of every form', () => {
  expect(Object.fromEntries(SPECIAL.map((line) => [line, keysOf(line).join(' ')]))).toMatchInlineSnapshot(`
    {
      "BITOP AND d a b c": "d a b c",
      "BLMPOP 0 2 a b LEFT": "a b",
      "BLPOP a b 0": "a b",
      "COPY a b DB 3 REPLACE": "a b",
      "DEL a b c": "a b c",
      "EVAL return 2 a b x y": "a b",
      "EVALSHA abc 0 x": "",
      "FCALL f 1 a x": "a",
      "GEORADIUS a 1 2 3 km STORE b": "a b",
      "GEORADIUS a 1 2 3 km WITHDIST": "a",
      "GEORADIUSBYMEMBER a STORE 3 km COUNT 1 STOREDIST c": "a c",
      "LMPOP 1 a RIGHT COUNT 2": "a",
      "MIGRATE host 1 "" 0 100 AUTH2 KEYS KEYS KEYS a": "a",
      "MIGRATE host 1 "" 0 100 COPY REPLACE AUTH KEYS KEYS a b c": "a b c",
      "MIGRATE host 1 a 0 100": "a",
      "MSET a 1 b 2 c 3": "a b c",
      "OBJECT FREQ a": "a",
      "PFDEBUG TODENSE a": "a",
      "SORT a BY w_* LIMIT 0 5 GET # GET store STORE b ALPHA": "a b",
      "SORT a GET STORE": "a",
      "SORT a STORE b STORE c": "a c",
      "XGROUP CREATE a g $ MKSTREAM": "a",
      "XREAD COUNT 2 BLOCK 0 STREAMS a b 0 0": "a b",
      "XREAD STREAMS a 0": "a",
      "XREADGROUP GROUP STREAMS c COUNT 1 NOACK STREAMS a b > >": "a b",
      "ZDIFFSTORE d 1 a": "d a",
      "ZUNIONSTORE d 2 a b WEIGHTS 1 2 AGGREGATE MAX": "d a b",
    }
  `);
  // What the command takes; COMMAND GETKEYS names both.
  expect(keysOf('GEORADIUS a 1 2 3 km STORE b STOREDIST c')).toEqual(['a', 'c']);
  expect(keysOf('MSETEX 2 a 1 b 2 EX 5')).toEqual(['a', 'b']);
  expect(keysOf('JSON.SET a $ 1')).toEqual(['a']);
  for (const none of [
    'SELECT 1',
    'FLUSHALL',
    'SWAPDB 0 1',
    'EVAL x 99999999999 a',
    'EVAL x y a',
    'DEL',
    'SORT a GET',
  ]) {
    expect(keysOf(none).filter((key) => key !== 'a' || none.startsWith('EVAL'))).toEqual([]);
  }
});

it('takes no more than the arguments that are held', () => {
  const command = CommandSpans.of('DEL', 'a', 'b', 'c');
  command.held = 2;
  expect(finder.find(command).count).toBe(1);
  expect(finder.find(CommandSpans.of('EVAL', 'x', '1000000', 'a')).count).toBe(1);
  const many = CommandSpans.of('DEL', ...Array.from({ length: 500 }, (_, i) => `k${i}`));
  expect(finder.find(many).count).toBe(500);
});

describeServer('the keys of commands', () => {
  it('are those that Redis 7.0 finds', async () => {
    const lines = [...SPECIAL, ...KNOWN_COMMANDS.flatMap(({ name, arity }) => plainForms(name, arity))];
    await withServer({}, async ({ client }) => {
      const pipeline = client.pipeline();
      for (const line of lines)
        pipeline.call('COMMAND', 'GETKEYS', ...line.split(' ').map((word) => (word === '""' ? '' : word)));
      const answers = (await pipeline.exec())!;
      const wrong = lines.flatMap((line, i) => {
        const [error, keys] = answers[i]!;
        if (error !== null && !/no key arguments/.test(error.message)) return [];
        const theirs = error === null ? (keys as string[]) : [];
        const ours = keysOf(line);
        return `${theirs}` === `${ours}` ? [] : [{ line, theirs, ours }];
      });
      expect(wrong).toEqual([]);
      expect(answers.filter(([error]) => error === null).length).toBeGreaterThan(200);
    });
  });
});

/** The name with as few arguments as it takes, and with some more; each another word. Numbers stand where they may be wanted. */
function plainForms(name: string, arity: number): string[] {
  const isChannel = /^S(UN)?SUBSCRIBE$|^SPUBLISH$/.test(name);
  const least = Math.abs(arity);
  return isChannel || KNOWN_SPECIAL.test(name)
    ? []
    : (arity < 0 ? [least, least + 2] : [least]).map((argc) =>
        [name, ...Array.from({ length: argc - 1 }, (_, i) => `a${i}`)].join(' '),
      );
}

/** Containers, and what is told by numbers or words: the forms above stand for them. */
const KNOWN_SPECIAL =
  /^(ACL|CLIENT|CLUSTER|COMMAND|CONFIG|LATENCY|MEMORY|MODULE|PUBSUB|SCRIPT|FUNCTION|SLOWLOG|OBJECT|XINFO|XGROUP)$|^(EVAL|FCALL|X?READ|XREAD|MIGRATE|SORT$|GEORADIUS)|MPOP$|^Z(UNION|INTER|DIFF)|^SINTERCARD$/;
