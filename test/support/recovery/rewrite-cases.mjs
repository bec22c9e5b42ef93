// Servers killed at every step of a rewrite.

import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CONF,
  flip,
  fresh,
  grown,
  killer,
  killing,
  LEGACY,
  large,
  log,
  rewriting,
  Server,
  write,
} from './crashing-server.mjs';

export const REWRITE_CASES = {
  async 'rewrite-1-increment'() {
    return rewriting('rewrite-1-increment', 'rename:before:appendonly.aof.manifest');
  },
  async 'rewrite-2-child'() {
    const directory = fresh('rewrite-2-child');
    const server = await Server.start(directory);
    await grown(server);
    await large(server);
    await server.call('CONFIG', 'SET', 'rdb-key-save-delay', '20000');
    await server.call('BGREWRITEAOF');
    await sleep(700);
    await write(server, 500, 560);
    const held = await server.state();
    const child = /^child_pid|aof_rewrite_in_progress:1/m.test(await server.redis.info('persistence'));
    if (!child) throw new Error('the rewrite ended too soon');
    const pids = execFileSync('ps', ['-o', 'pid=', '--ppid', String(server.child.pid)], { encoding: 'utf8' });
    await server.kill();
    for (const pid of pids.trim().split(/\s+/)) process.kill(Number(pid), 'SIGKILL');
    return { directory, held, what: 'killed while the child wrote its temporary file' };
  },
  async 'rewrite-3-temporary'() {
    const directory = fresh('rewrite-3-temporary');
    const server = await Server.start(directory);
    await grown(server);
    const pipe = server.redis.pipeline();
    pipe.call('BGREWRITEAOF');
    pipe.call('SET', 'during', 'the rewrite');
    pipe.call('DEBUG', 'DIGEST');
    const [, , [, digest]] = await pipe.exec();
    server.call('DEBUG', 'SLEEP', '3').catch(() => {});
    for (let i = 0; !readdirSync(directory).some((name) => /^temp-rewriteaof-bg/.test(name)); i++) {
      if (i > 1000) throw new Error('no temporary file');
      await sleep(5);
    }
    await sleep(100);
    await server.kill();
    return {
      directory,
      held: { digest, dbsize: null },
      what: 'killed when the child had ended: temp-rewriteaof-bg is whole',
    };
  },
  async 'rewrite-4-base'() {
    return rewriting('rewrite-4-base', 'rename:after:appendonly.aof.3.base.rdb');
  },
  async 'rewrite-4-base-damaged'() {
    const made = await rewriting('rewrite-4-base-damaged', 'rename:after:appendonly.aof.3.base.rdb');
    flip(log(made.directory, '2.base.rdb'), 400);
    return { ...made, what: `${made.what}, and the base still in use is damaged` };
  },
  async 'rewrite-5-manifest'() {
    // The second time this name is renamed to in a rewrite: the base stands already.
    const directory = fresh('rewrite-5-manifest');
    const server = await Server.start(directory, killing('rename:before:appendonly.aof.manifest'));
    await grown(server);
    await server.call('CONFIG', 'SET', 'rdb-key-save-delay', '1000');
    await server.call('BGREWRITEAOF');
    await write(server, 500, 520);
    const held = await server.state();
    server.arm();
    await server.gone();
    return {
      directory,
      held,
      what: 'killed when the new base stood and the new manifest was a temporary file',
    };
  },
  async 'rewrite-6-history'() {
    return rewriting('rewrite-6-history', 'unlink:before:appendonly.aof.2.incr.aof');
  },
  async 'rewrite-6-history-damaged'() {
    const made = await rewriting('rewrite-6-history-damaged', 'unlink:before:appendonly.aof.2.incr.aof');
    flip(log(made.directory, '3.base.rdb'), 400);
    return { ...made, what: `${made.what}, and the new base is damaged` };
  },
  async 'enabling-aof'() {
    const directory = fresh('enabling-aof', CONF.replace('appendonly yes', 'appendonly no'));
    const server = await Server.start(directory, killing('rename:after:appendonly.aof.1.base.rdb'));
    await write(server, 0, 300);
    await server.call('SAVE');
    await server.call('CONFIG', 'SET', 'rdb-key-save-delay', '1000');
    await server.call('CONFIG', 'SET', 'appendonly', 'yes');
    await write(server, 300, 360);
    const held = await server.state();
    server.arm();
    await server.gone();
    return { directory, held, what: 'killed while appendonly yes was being switched on at run time' };
  },
};

if (LEGACY !== '') {
  REWRITE_CASES['legacy-rewrite'] = async () => {
    const directory = fresh('legacy-rewrite', CONF.replace('enable-debug-command yes\n', ''));
    const server = await Server.start(directory, {
      program: LEGACY,
      env: { LD_PRELOAD: killer, KILL_AT: 'rename:before:appendonly.aof' },
    });
    await write(server, 0, 300);
    const held = await server.state();
    server.arm();
    server.call('BGREWRITEAOF').catch(() => {});
    await server.gone();
    return { directory, held, what: 'Redis 6.2 killed before it renamed its rewritten log', program: LEGACY };
  };
}
