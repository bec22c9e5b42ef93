import { expect, it } from 'vitest';
import { describeServer, withServer } from '../support/server.js';
import { type Argument, Twin } from './engine-twin.js';

const library = (name: string, answer: number): string =>
  `#!lua name=${name}\nredis.register_function('${name}_f', function() return ${answer} end)\n`;

describeServer('the engine and a server agree on function libraries', () => {
  it('after loading, replacing, deleting, dumping and restoring', async () => {
    await withServer({ writable: true }, async (server) => {
      const twin = new Twin(server);
      const compare = async (): Promise<void> => {
        const reply = (await server.client.call('FUNCTION', 'LIST', 'WITHCODE')) as unknown[];
        const listed = reply.map((row) => {
          const fields = row instanceof Map ? [...row].flat() : (row as unknown[]);
          return [fields[fields.indexOf('library_name') + 1], fields[fields.indexOf('library_code') + 1]];
        });
        const own = [...twin.engine.keyspace.functions].map(([name, code]) => [
          name,
          code.toString('latin1'),
        ]);
        expect(own.sort(), twin.context).toEqual(listed.sort());
      };
      const run = async (...args: Argument[]): Promise<void> => {
        await twin.run(...args);
        await compare();
      };
      await run('FUNCTION', 'LOAD', library('one', 1));
      await run('FUNCTION', 'LOAD', library('one', 2));
      await run('function', 'load', 'replace', library('one', 3));
      await run('FUNCTION', 'LOAD', library('two', 1));
      await run('FUNCTION', 'LOAD', '#!lua\nreturn 1');
      await run('FUNCTION', 'LOAD', 'return 1');
      const dump = (await server.client.callBuffer('FUNCTION', 'DUMP')) as Buffer;
      await run('FUNCTION', 'DELETE', 'one');
      await run('FUNCTION', 'DELETE', 'one');
      await run('FUNCTION', 'RESTORE', dump);
      await run('FUNCTION', 'LOAD', 'REPLACE', library('two', 2));
      await run('FUNCTION', 'RESTORE', dump, 'REPLACE');
      await run('FUNCTION', 'LOAD', library('three', 1));
      await run('FLUSHALL');
      await run('FUNCTION', 'RESTORE', dump, 'FLUSH');
      const bad = Buffer.from(dump);
      bad[4]! ^= 1;
      await run('FUNCTION', 'RESTORE', bad, 'FLUSH');
      await run('FUNCTION', 'RESTORE', dump, 'NONSENSE');
      await run('FUNCTION', 'FLUSH', 'ASYNC');
      await run('FUNCTION', 'RESTORE', dump, 'APPEND');
      await run('FUNCTION', 'FLUSH');
    });
  });
});
