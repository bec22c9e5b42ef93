import { expect, test } from 'vitest';
import { COMMANDS } from '../../src/keyspace/commands/table.js';
import {
  arityFits,
  findCommand,
  isModuleName,
  KNOWN_COMMANDS,
  type KnownCommand,
} from '../../src/model/commands.js';
import { describeServer, TestServer } from '../support/server.js';

function find(name: string): KnownCommand | null {
  const bytes = Buffer.from(`<${name}>`, 'latin1');
  return findCommand(bytes, 1, bytes.length - 1);
}

/** True when every number of arguments that `other` takes is taken by `arity`. */
function covers(arity: number, other: number): boolean {
  return arity < 0 ? Math.abs(other) >= -arity : other === arity;
}

test('every command is found by its name in any case, and by nothing near it', () => {
  expect(new Set(KNOWN_COMMANDS.map((command) => command.name)).size).toBe(KNOWN_COMMANDS.length);
  for (const command of KNOWN_COMMANDS) {
    const { name } = command;
    expect(find(name)).toBe(command);
    expect(find(name.toLowerCase())).toBe(command);
    expect(find(name[0]!.toLowerCase() + name.slice(1))).toBe(command);
    for (let i = 0; i < name.length; i++) {
      const changed = `${name.slice(0, i)}${String.fromCharCode(name.charCodeAt(i) ^ 1)}${name.slice(i + 1)}`;
      expect(find(changed)?.name ?? changed.toUpperCase()).toBe(changed.toUpperCase());
    }
    expect(find(`${name}\0`)).toBeNull();
  }
});

test.each(['', 'NOSUCH', 'SE T', 'SET\0', '\x13ET', 'GET'.repeat(20), 'EVAL\x7fRO', '\xd3ET', 'HOST\x1a'])(
  'no release knows %j',
  (name) => expect(find(name)).toBeNull(),
);

test('the arity is held as servers hold it', () => {
  expect([1, 2, 3].map((argc) => arityFits(find('GET')!, argc))).toEqual([false, true, false]);
  expect([2, 3, 99].map((argc) => arityFits(find('SET')!, argc))).toEqual([false, true, true]);
  // Releases differ: 2.2 took exactly two, from 6.2 on there can be a count.
  expect([1, 2, 3].map((argc) => arityFits(find('LPOP')!, argc))).toEqual([false, true, true]);
});

test('what the engine executes is known, with no fewer arguments allowed', () => {
  // What has no effect on data the engine takes with any arguments.
  const wrong = COMMANDS.filter(({ name, arity }) => !covers(find(name)?.arity ?? 0, arity) && arity !== -1);
  expect(wrong.map((row) => row.name)).toEqual([]);
  expect(COMMANDS.filter(({ name }) => find(name) === null)).toEqual([]);
});

test('says which release brought a command', () => {
  expect(find('get')).toMatchObject({ name: 'GET', since: 'redis 2.2' });
  expect(find('hpexpireat')).toMatchObject({ since: 'redis 7.4' });
  expect(find('delifeq')).toMatchObject({ since: 'valkey 9.0' });
  expect(find('keydb.cron')).toMatchObject({ since: 'keydb 6' });
  expect(find('vadd')).toMatchObject({ module: 'vectorset', since: 'redis 8.0' });
});

test('a name with a dot inside is that of a module', () => {
  const isModules = (name: string): boolean => isModuleName(Buffer.from(name), 0, name.length);
  expect(['JSON.SET', 'ft.add', '_ft.safeadd'].map(isModules)).toEqual([true, true, true]);
  expect(['SET', '.SET', 'SET.', '', '.'].map(isModules)).toEqual([false, false, false, false, false]);
});

test('subcommands are known where a container has them', () => {
  expect(find('XGROUP')?.subcommands?.has('CREATECONSUMER')).toBe(true);
  expect(find('FUNCTION')?.subcommands?.has('CREATE')).toBe(false);
  expect(find('SET')?.subcommands).toBeUndefined();
});

describeServer('the commands of a real server', () => {
  test('are all known, with no fewer arguments allowed', async () => {
    const server = await TestServer.start();
    try {
      const told = (await server.client.call('COMMAND')) as [string, number][];
      expect(told.length).toBeGreaterThan(200);
      const wrong = told.filter(([name, arity]) => !covers(find(name)?.arity ?? 0, arity));
      expect(wrong.map(([name]) => name)).toEqual([]);
    } finally {
      await server.stop();
    }
  });
});
