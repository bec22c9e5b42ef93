import { describe, expect, it } from 'vitest';
import { MemorySource } from '../../src/bytes/source.js';
import { salvageLog } from '../../src/salvage/log-salvage.js';
import { LogLosses } from '../../src/tools/repair/log-losses.js';
import { resp } from '../support/resp.js';

const GARBAGE = '\x00\x01rubbish\xff';

async function lossesOf(text: string, doubtful = false) {
  const bytes = Buffer.from(text, 'latin1');
  const losses = new LogLosses('log', 0, bytes.length, doubtful);
  await salvageLog(new MemorySource(bytes, 'log'), 0, losses, { doubtful });
  losses.finish();
  let kept = '';
  let at = 0;
  for (const { from, to } of losses.skipped) {
    kept += text.slice(at, from);
    at = to;
  }
  const marked = losses.markers.map(({ from, to }) => text.slice(from, to)).join('');
  return { losses, kept: kept + text.slice(at), cut: text.slice(0, losses.cut), marked };
}

describe('what is lost of a log', () => {
  it('is nothing without damage', async () => {
    const { losses, kept } = await lossesOf(resp('SELECT 0', 'SET a 1', 'MULTI', 'SET b 2', 'EXEC'));
    expect(kept).toBe(resp('SELECT 0', 'SET a 1', 'MULTI', 'SET b 2', 'EXEC'));
    expect(losses).toMatchObject({ because: null, behindCut: 0, commands: 5, markers: [] });
  });

  it('is the damage alone, or everything from it on', async () => {
    const before = resp('SELECT 0', 'SET a 1');
    const after = resp('SET b 2', 'SET c 3');
    const { losses, kept, cut } = await lossesOf(before + GARBAGE + after);
    expect(kept).toBe(before + after);
    expect(cut).toBe(before);
    expect(losses).toMatchObject({ behindCut: 3, commands: 4, brokenTransactions: 0 });
    expect(losses.because).toMatchObject({ code: 'aof/bad-prefix', where: { offset: before.length } });
  });

  it('is a command that no server loads', async () => {
    for (const [bad, code] of [
      ['FOOBAR x', 'aof/unknown-command'],
      ['SET a', 'aof/wrong-arity'],
      ['XGROUP FOOBAR x', 'aof/unknown-command'],
      ['SELECT zero', 'aof/bad-select'],
    ] as const) {
      const { losses, kept, cut } = await lossesOf(resp('SET a 1', bad, 'SET b 2'));
      expect(losses.because?.code, bad).toBe(code);
      expect(kept).toBe(resp('SET a 1', 'SET b 2'));
      expect(cut).toBe(resp('SET a 1'));
    }
  });

  it('is not a command of a module', async () => {
    const { losses } = await lossesOf(resp('SET a 1', 'JSON.SET a $ 1', 'SET b 2'));
    expect(losses).toMatchObject({ because: null, skipped: [] });
  });
});

describe('a damaged transaction', () => {
  it('keeps what is whole of it, and its MULTI and EXEC', async () => {
    for (const bad of [GARBAGE, resp('FOOBAR x'), resp('DISCARD')]) {
      const text = resp('SET a 1', 'MULTI', 'SET b 2') + bad + resp('SET c 3', 'EXEC', 'SET d 4');
      const { losses, kept, cut } = await lossesOf(text);
      expect(kept).toBe(resp('SET a 1', 'MULTI', 'SET b 2', 'SET c 3', 'EXEC', 'SET d 4'));
      expect(cut).toBe(resp('SET a 1'));
      // MULTI, SET, the damage, SET, EXEC, SET.
      expect(losses).toMatchObject({ behindCut: 6, brokenTransactions: 1, brokenCommands: 2 });
    }
  });

  it('loses a MULTI whose EXEC is in the damage', async () => {
    const next = resp('SET c 3', 'MULTI', 'SET d 4', 'EXEC');
    const { losses, kept, cut } = await lossesOf(resp('SET a 1', 'MULTI', 'SET b 2') + GARBAGE + next);
    expect(kept).toBe(resp('SET a 1', 'SET b 2') + next);
    expect(cut).toBe(resp('SET a 1'));
    expect(losses).toMatchObject({ brokenTransactions: 1, brokenCommands: 2 });
    expect(losses.skipped.map(({ why }) => why)).toEqual(['marker', 'damage']);
    const toTheEnd = await lossesOf(`${resp('MULTI', 'SET b 2')}${GARBAGE}${resp('SET c 3', 'SET d 4')}`);
    expect(toTheEnd.kept).toBe(resp('SET b 2', 'SET c 3', 'SET d 4'));
  });

  it('loses an EXEC whose MULTI is in the damage', async () => {
    const text = resp('SET a 1') + GARBAGE + resp('SET b 2', 'SET c 3', 'EXEC', 'SET d 4');
    const { losses, kept, cut } = await lossesOf(text);
    expect(kept).toBe(resp('SET a 1', 'SET b 2', 'SET c 3', 'SET d 4'));
    expect(cut).toBe(resp('SET a 1'));
    expect(losses).toMatchObject({ brokenTransactions: 1, brokenCommands: 2 });
  });

  it('never took effect when the log ends in it', async () => {
    const before = resp('SET a 1');
    for (const end of [
      resp('MULTI', 'SET b 2'),
      resp('MULTI', 'SET b 2', 'SET c 3').slice(0, -3),
      resp('MULTI'),
    ]) {
      const { kept, cut } = await lossesOf(before + end);
      expect(kept).toBe(before);
      expect(cut).toBe(before);
    }
  });
});

describe('MULTI and EXEC without their counterpart', () => {
  it('go whatever the strategy, as servers refuse just them', async () => {
    const text = resp('SET a 1', 'EXEC', 'MULTI', 'SET b 2', 'MULTI', 'SET c 3', 'EXEC');
    const { losses, kept, marked, cut } = await lossesOf(text);
    expect(kept).toBe(resp('SET a 1', 'MULTI', 'SET b 2', 'SET c 3', 'EXEC'));
    expect(marked).toBe(resp('EXEC', 'MULTI'));
    expect(cut).toBe(text);
    expect(losses.because).toBe(null);
    expect(losses.markers.map(({ because }) => because?.code)).toEqual([
      'aof/exec-without-multi',
      'aof/nested-multi',
    ]);
  });

  it('count only in front of the cut', async () => {
    const { marked, cut } = await lossesOf(
      `${resp('EXEC', 'SET a 1', 'MULTI', 'SET b 2', 'MULTI')}${GARBAGE}${resp('EXEC', 'SET c 3', 'EXEC')}`,
    );
    expect(marked).toBe(resp('EXEC'));
    expect(cut).toBe(resp('EXEC', 'SET a 1'));
  });
});

describe('the database', () => {
  it('is a guess behind a damage, until the next SELECT, in a log of several', async () => {
    const two = resp('SELECT 0', 'SET a 1', 'SELECT 3', 'SET b 2');
    const { losses } = await lossesOf(two + GARBAGE + resp('SET c 3', 'SET d 4', 'SELECT 0', 'SET e 5'));
    expect(losses.guessedDatabase).toBe(2);
  });

  it('is none in a log of one', async () => {
    const { losses } = await lossesOf(resp('SELECT 3', 'SET b 2') + GARBAGE + resp('SET c 3', 'SET d 4'));
    expect(losses.guessedDatabase).toBe(0);
  });
});

it('drops an annotation without its line end, and nothing with it', async () => {
  const { losses, kept } = await lossesOf(`${resp('SET a 1')}#TS:17723`);
  expect(kept).toBe(`${resp('SET a 1')}#TS:17723`);
  expect(losses.because).toBe(null);
  expect(losses.tornAnnotation).toMatchObject({ from: resp('SET a 1').length, commands: 0 });
});
