import { describe, expect, test } from 'vitest';
import { FAILED } from '../../../src/keyspace/outcome.js';
import { ScriptedEngine, told } from './scripted.js';

const few = { memoryBytes: 32 * 1024 * 1024, steps: 1_000_000 };

describe('a script that would never end or takes all there is', () => {
  const scripted = new ScriptedEngine(400, few);

  test.each([
    ['while true do end', 'steps'],
    ['while true do pcall(function() while true do end end) end', 'steps'],
    ['coroutine.wrap(function() while true do end end)()', 'steps'],
    ['for i = 1, 1e9 do redis.call("SET", "k", i) end', 'steps'],
    ['local s = "x" while true do s = s .. s end', 'memory'],
    ['return pcall(string.rep, "x", 2^30)', 'memory'],
  ])('%s', (script, what) => {
    expect(scripted.obstacle('EVAL', script, '0')).toMatchObject({
      code: 'aof/script-limit',
      detail: { what },
    });
    // What comes after it runs in a fresh state.
    expect(scripted.eval('return 1')).toBe(1);
  });

  test.each([
    'local function f() return 1 + f() end return f()',
    'local t = {} t[1] = t return cjson.encode(t)',
    `return cjson.decode(string.rep('[', 5000))`,
    'return unpack({}, 1, 1e8)',
  ])('%s is an error of its own', (script) => {
    expect(scripted.obstacle('EVAL', script, '0')).toBeNull();
    expect(scripted.engine.lastError).toMatch(/^ERR Error running script/);
  });

  test('costs no time for nothing many times over', () => {
    expect(scripted.eval('return #string.rep("", 2^31 - 1)')).toBe(0);
  });
});

describe('the room a script has', () => {
  const scripted = new ScriptedEngine();

  test.each([
    'os',
    'io',
    'package',
    'require',
    'debug',
    'dofile',
    'loadfile',
    'module',
    'integers',
    'process',
  ])('%s is not in it', (name) => {
    expect(told(scripted.eval(`return ${name}`))).toHaveProperty(
      'error',
      expect.stringContaining('Script attempted to access nonexistent global variable'),
    );
    expect(scripted.eval(`return tostring(rawget(_G, '${name}'))`)).toBe('nil');
  });

  test('takes no compiled code, and makes none', () => {
    expect(
      scripted.eval(
        'return {loadstring("\\27Lua"), load(coroutine.wrap(function() coroutine.yield("\\27") end))}',
      ),
    ).toEqual([]);
    expect(scripted.eval('return tostring(string.dump)')).toBe('nil');
  });

  test('is shared by the scripts of a log until SCRIPT FLUSH', () => {
    expect(scripted.eval('rawset(_G, "kept", 5) return kept')).toBe(5);
    expect(scripted.eval('return kept')).toBe(5);
    scripted.do('SCRIPT', 'FLUSH');
    expect(scripted.do('EVAL', 'return kept', '0')).toBe(FAILED);
    expect(scripted.engine.lastError).toContain("nonexistent global variable 'kept'");
    expect(scripted.engine.keyspace.scripts.size).toBe(1);
  });
});

describe('EVALSHA', () => {
  const scripted = new ScriptedEngine();

  test('finds what EVAL ran and what SCRIPT LOAD brought, in any case', () => {
    expect(scripted.eval('return 41 + 1')).toBe(42);
    scripted.do('SCRIPT', 'LOAD', 'return redis.sha1hex(ARGV[1])');
    const sha = [...scripted.engine.keyspace.scripts.keys()].at(-1)!;
    expect(scripted.do('EVALSHA', sha.toUpperCase(), '0', 'abc')).toBe(0);
    expect(scripted.scripts.reply).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
  });

  test('of a script that the log never had says which', () => {
    const sha = 'f'.repeat(40);
    expect(scripted.obstacle('EVALSHA', sha, '0')).toEqual({ code: 'aof/unknown-script', detail: { sha } });
  });
});

test('a command whose reply is not known here stops the script, and what it did before stays', () => {
  const scripted = new ScriptedEngine();
  const script = `redis.call('SET', 'a', 1) return redis.pcall('OBJECT', 'ENCODING', 'a')`;
  expect(scripted.obstacle('EVAL', script, '0')).toEqual({
    code: 'aof/script-command',
    detail: { calls: 'OBJECT' },
  });
  expect(scripted.eval(`return redis.call('GET', 'a')`)).toBe('1');
});

test('random members cannot be replayed', () => {
  const scripted = new ScriptedEngine();
  scripted.do('SADD', 's', 'a', 'b');
  expect(scripted.obstacle('EVAL', `return redis.call('SPOP', 's')`, '0')).toMatchObject({
    code: 'aof/script-command',
  });
});

test('the selected database is that of the log again after a script', () => {
  const scripted = new ScriptedEngine();
  scripted.do('SELECT', '2');
  scripted.eval(`redis.call('SELECT', 5) redis.call('SET', 'in5', 1) error('end')`);
  expect(scripted.engine.selected).toBe(2);
  scripted.do('SET', 'in2', '1');
  expect(scripted.engine.keyspace.indexes()).toEqual([2, 5]);
});

test('a log of scripts that are all different does not fill the machine', () => {
  const scripted = new ScriptedEngine(400, few);
  const body = `return '${'x'.repeat(20_000)}'`;
  for (let i = 0; i < 300; i++) expect(scripted.do('EVAL', `${body} -- ${i}`, '0')).toBe(0);
});

test('old servers look at no key behind one that an intersection lacks', () => {
  for (const [release, kept] of [
    [400, 0],
    [700, 1],
  ] as const) {
    const scripted = new ScriptedEngine(release);
    scripted.do('SET', 'text', 'x');
    scripted.do('SADD', 'set', 'a');
    scripted.do('SINTERSTORE', 'set', 'none', 'text');
    expect(scripted.eval(`return redis.call('EXISTS', 'set')`)).toBe(kept);
  }
});
