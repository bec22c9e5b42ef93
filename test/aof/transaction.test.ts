import { describe, expect, test } from 'vitest';
import { CommandQueue, EXEC, MULTI, PLAIN, QUEUED, TransactionTracker } from '../../src/aof/transaction.js';
import { CommandSpans } from '../../src/resp/command.js';
import { Random } from '../support/random.js';

test('the tracker queues everything but EXEC', () => {
  const tracker = new TransactionTracker();
  const feed = (...names: string[]) => names.map((name) => tracker.classify(CommandSpans.of(name, 'x')));
  expect(feed('SET', 'EXEC', 'multi', 'SET', 'MULTI', 'DISCARD', 'WATCH', 'SELECT')).toEqual([
    PLAIN,
    PLAIN,
    MULTI,
    ...Array.from({ length: 5 }, () => QUEUED),
  ]);
  expect(tracker.open).toBe(true);
  expect(tracker.queued).toBe(5);
  expect(feed('Exec', 'SET')).toEqual([EXEC, PLAIN]);
  expect(tracker.open).toBe(false);
});

test('the tracker remembers where a transaction began', () => {
  const tracker = new TransactionTracker();
  const command = CommandSpans.of('MULTI');
  command.offset = 77;
  tracker.classify(command);
  command.offset = 90;
  tracker.classify(command);
  expect(tracker.offset).toBe(77);
});

describe('the queue', () => {
  const random = new Random(5);
  const text = (spans: CommandSpans) =>
    `${spans.offset}+${spans.length} ${Array.from({ length: spans.argc }, (_, i) => spans.latin1(i)).join('|')}`;

  function commands(count: number, largest: number): CommandSpans[] {
    return Array.from({ length: count }, (_, i) => {
      const args = Array.from({ length: 1 + random.below(9) }, () => 'x'.repeat(random.below(largest)));
      const spans = CommandSpans.of(`c${i}`, ...args);
      spans.offset = i * 1000;
      spans.length = 10 + i;
      return spans;
    });
  }

  test('gives back copies in order, again and again', () => {
    const queue = new CommandQueue();
    for (const [count, largest] of [
      [3, 5],
      [500, 50],
      [1, 3_000_000],
      [200, 8],
    ] as const) {
      const given = commands(count, largest);
      const wanted = given.map(text);
      for (const command of given) {
        queue.add(command);
        command.bytes.fill(0); // the queue must not lean on borrowed bytes
      }
      const told: string[] = [];
      expect(queue.tell(0, (command) => told.push(text(command)) > 0)).toBe(count);
      expect(told).toEqual(wanted);
      queue.clear();
      expect(queue.count).toBe(0);
    }
  });

  test('stops when told to, and goes on from there', () => {
    const queue = new CommandQueue();
    const given = commands(40, 20);
    const wanted = given.map(text);
    for (const command of given) queue.add(command);
    const told: string[] = [];
    let from = 0;
    while (from < queue.count) from = queue.tell(from, (command) => told.push(text(command)) % 7 !== 0);
    expect(told).toEqual(wanted);
  });
});
