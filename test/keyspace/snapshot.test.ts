import { expect, test } from 'vitest';
import { Engine } from '../../src/keyspace/engine.js';
import { Keyspace } from '../../src/keyspace/keyspace.js';
import { PAGE_BYTES } from '../../src/keyspace/page-pool.js';
import { SnapshotStore } from '../../src/keyspace/snapshot.js';
import { DigestHandler, digestFamilyOf } from '../../src/model/digest.js';
import { CommandSpans } from '../../src/resp/command.js';
import { Random } from '../support/random.js';

function digestOf(keyspace: Keyspace): string {
  const digest = new DigestHandler({ ...digestFamilyOf('redis', '8.8'), nowMs: null, onKey: null });
  keyspace.walk(digest).run();
  return digest.result();
}

/** Commands that make every kind of value, small and large, and take parts of them away. */
function execute(keyspace: Keyspace, random: Random, count: number): void {
  const engine = new Engine(keyspace, { nowMs: 0, scoreText: 'shortest' });
  const run = (...args: readonly (string | number)[]) => engine.execute(CommandSpans.of(...args.map(String)));
  for (let i = 0; i < count; i++) {
    const n = random.below(40);
    const text = 'x'.repeat(random.below(300));
    run('SELECT', random.below(3));
    run('SET', `s${random.below(500)}`, text);
    run('HSET', `h${n % 5}`, `f${random.below(900)}`, text);
    run('ZADD', `z${n % 5}`, random.below(100), `m${random.below(900)}`);
    run('SADD', `t${n % 5}`, `m${random.below(900)}`);
    run('RPUSH', `l${n % 5}`, text, i);
    run('XADD', `x${n % 3}`, '*', 'n', i);
    run('XADD', `x${n % 3}`, `${i + 1}-1`, 'n', i);
    if (n === 0) run('APPEND', 'large', 'y'.repeat(70_000));
    if (n === 1) run('XGROUP', 'CREATE', 'x0', `g${i}`, '0');
    if (n === 2) run('DEL', `s${random.below(500)}`, `h${random.below(5)}`);
    if (n === 3) run('LTRIM', `l${n % 5}`, 0, 500);
    if (n === 4 && random.once(8)) run('FLUSHALL');
    if (n === 5) run('SWAPDB', 0, 1);
  }
}

test('a snapshot is what the keyspace was, however often it is thawed and whatever happens meanwhile', () => {
  const random = new Random(7);
  const store = new SnapshotStore();
  let keyspace = new Keyspace();
  const kept = [];
  for (let i = 0; i < 4; i++) {
    execute(keyspace, random, 150);
    kept.push({ snapshot: store.take(keyspace), digest: digestOf(keyspace), seed: random.word() });
  }
  const endings = kept.map(({ snapshot, digest, seed }) => {
    const thawed = store.thaw(snapshot);
    expect(digestOf(thawed)).toBe(digest);
    execute(thawed, new Random(seed), 100);
    return digestOf(thawed);
  });
  for (let i = kept.length - 1; i >= 0; i--) {
    store.recycle(keyspace);
    keyspace = store.thaw(kept[i]!.snapshot);
    expect(digestOf(keyspace)).toBe(kept[i]!.digest);
    execute(keyspace, new Random(kept[i]!.seed), 100);
    expect(digestOf(keyspace), 'what comes after is the same each time').toBe(endings[i]);
  }
});

test('snapshots share what did not change, and give everything back', () => {
  const store = new SnapshotStore();
  const keyspace = new Keyspace();
  execute(keyspace, new Random(3), 200);
  const first = store.take(keyspace);
  const alone = store.pool.usedBytes;
  const second = store.take(keyspace);
  expect(store.pool.usedBytes).toBe(alone);
  new Engine(keyspace, { nowMs: 0, scoreText: 'shortest' }).execute(CommandSpans.of('SET', 'one', 'more'));
  const third = store.take(keyspace);
  expect(store.pool.usedBytes - alone).toBeLessThanOrEqual(6 * PAGE_BYTES);
  const digest = digestOf(keyspace);
  store.drop(first);
  store.drop(second);
  expect(digestOf(store.thaw(third))).toBe(digest);
  store.drop(third);
  expect(store.pool.usedBytes).toBe(0);
});
