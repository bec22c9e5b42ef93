import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { corpusPath } from '../../support/corpus.js';
import { FakeTerminal } from './fake-terminal.js';

const UP = '\u001b[A';
const DOWN = '\u001b[B';
const RIGHT = '\u001b[C';
const LEFT = '\u001b[D';
const PAGE_DOWN = '\u001b[6~';
const HOME = '\u001b[H';
const END = '\u001b[F';
const ESCAPE = '\u001b';
const ENTER = '\r';

const home = process.cwd();
beforeAll(() => process.chdir(corpusPath('redis-7.0.15', '.')));
afterAll(() => process.chdir(home));

const frame = (name: string): string => `frames/${name}.txt`;

describe('explore', () => {
  test('opens at the end, searches, shows values and what changed, and prints the command', async () => {
    const terminal = new FakeTerminal(['explore', 'workload']);
    await terminal.shows('> the log ends here', '1 of 111 keys');
    expect(terminal.raw).toBe(true);
    await expect(terminal.screen.text()).toMatchFileSnapshot(frame('end'));

    terminal.press('/', ...'flushall', ENTER);
    await terminal.shows('no later command matches flushall');
    terminal.press('N');
    await terminal.shows(/>\s+\d+ .*FLUSHALL/, /1 of \d+ keys/);
    await expect(terminal.screen.text()).toMatchFileSnapshot(frame('flushall'));

    terminal.press('a', RIGHT);
    await terminal.shows('command 305 of 693', 'A=304');
    terminal.press('b', '=');
    await terminal.shows('from A (304) to B (305)');
    await expect(terminal.screen.text()).toMatchFileSnapshot(frame('diff'));

    terminal.press(DOWN, ENTER);
    await terminal.shows('not there at this moment');
    terminal.press(LEFT);
    await terminal.shows('command 304 of 693', /a:\w+ in db 0: /);
    await expect(terminal.screen.text()).toMatchFileSnapshot(frame('value'));

    terminal.press('q');
    expect(await terminal.ended).toBe(0);
    expect(terminal.raw).toBe(false);
    expect(terminal.screen).toMatchObject({ alternate: false, cursorShown: true });
    expect(terminal.screen.outside).toBe('rekindle replay workload --until-command 304 --out restored\n');
  });

  test('goes to numbers, times and offsets, and says what is none', async () => {
    const terminal = new FakeTerminal(['explore', 'workload'], { NO_COLOR: '1' });
    await terminal.shows('> the log ends here');
    const goals = [
      ['100', 'command 100 of 693'],
      ['12:00:41', 'command 357 of 693'],
      ['@1772366441', 'command 357 of 693'],
      ['appendonly.aof.3.incr.aof:10101', 'command 304 of 693'],
      ['-30s', '2026-03-01 12:00:39 UTC'],
      ['99999', 'command 693 of 693'],
      ['yesterday', "'yesterday' is not a time"],
    ] as const;
    for (const [text, shown] of goals) {
      terminal.press('g', ...text, ENTER);
      await terminal.shows(shown);
    }
    expect([...terminal.screen.looks].filter((look) => /^3\d$/.test(look))).toEqual([]);
    terminal.press('\u0003');
    expect(await terminal.ended).toBe(130);
    expect(terminal.screen.alternate).toBe(false);
  });

  test('steps over a transaction whole, both ways', async () => {
    const terminal = new FakeTerminal(['explore', 'workload']);
    await terminal.shows('> the log ends here');
    terminal.press('/', ...'multi', ENTER, 'N');
    await terminal.shows(/>\s+\d+ .*\| MULTI/);
    const [, before] = /command (\d+) of/.exec(terminal.screen.text())!;
    terminal.press(DOWN);
    await terminal.shows(/(\d+).*\| EXEC\n>/);
    terminal.press(UP);
    await terminal.shows(`command ${before} of`, /> .*\| MULTI/);
    terminal.press('q');
    await terminal.ended;
  });

  test('lists keys by database and pattern, page by page', async () => {
    const terminal = new FakeTerminal(['explore', 'workload'], {}, 100, 16);
    await terminal.shows('> the log ends here', '1 of 111 keys');
    terminal.press('\t', END);
    await terminal.shows('111 of 111 keys');
    terminal.press(HOME, PAGE_DOWN, DOWN);
    await terminal.shows('8 of 111 keys');
    terminal.press('f', ...'cb:db:*', ENTER);
    await terminal.shows(/match cb:db:\*/);
    terminal.press('>', '>', '>', '>', '>', '>');
    await terminal.shows('keys of db 7:  1 of 1 key ');
    terminal.press(ENTER);
    await terminal.shows('cb:db:7 in db 7: string of 4 bytes', '"in 7"');
    terminal.press('?', END);
    await terminal.shows(' LEAVE  q');
    terminal.resize(60, 12);
    await terminal.shows('rekindle explore workload');
    terminal.press(ESCAPE, ESCAPE, 'q');
    expect(await terminal.ended).toBe(0);
  });

  test('has a screen for an RDB, and hides what is to be hidden', async () => {
    const terminal = new FakeTerminal(['explore', 'small.rdb', '--redact'], {
      REKINDLE_REDACT_KEY: 'golden',
    });
    await terminal.shows('command 0 of 0', 'redacted:');
    await expect(terminal.screen.text()).toMatchFileSnapshot(frame('rdb'));
    terminal.abort.abort(new Error('a signal'));
    await terminal.ended;
    expect(terminal.raw).toBe(false);
    expect(terminal.screen.alternate).toBe(false);
  });
});
