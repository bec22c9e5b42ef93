import { afterAll, beforeAll, expect, test } from 'vitest';
import { slotOf } from '../../src/kernels/crc16.js';
import { Random } from '../support/random.js';
import { describeServer, TestServer } from '../support/server.js';

/** Where the tag of a name begins and ends is what programs disagree about. */
const TAGGED = ['{a}b', '{}{a}', '{{a}}', '{a', 'a}', '}{a}', 'x{a}{b}', '{a\n}', '{', '}', '{}', '', '{\0}'];
const COUNT = 10_000;

describeServer('the slots that a cluster gives keys', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ writable: true, settings: { 'cluster-enabled': 'yes' } });
  });
  afterAll(() => server.stop());

  test('are those that outputs are split by', async () => {
    const random = new Random(41);
    const bytes = () => Buffer.from(Array.from({ length: random.below(20) }, () => random.below(256)));
    const tagged = () => Buffer.concat([bytes(), Buffer.from('{'), bytes(), Buffer.from('}'), bytes()]);
    const names = TAGGED.map((name) => Buffer.from(name));
    while (names.length < COUNT) names.push(random.once(2) ? tagged() : bytes());
    const pipeline = server.client.pipeline();
    for (const name of names) pipeline.call('CLUSTER', 'KEYSLOT', name);
    const replies = await pipeline.exec();
    expect(names.map((name) => slotOf(name, 0, name.length))).toEqual(replies!.map(([, slot]) => slot));
  });
});
