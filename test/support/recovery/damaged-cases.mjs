// Logs and snapshots that were deleted, torn or damaged.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONF, flip, fresh, grown, large, log, rewriting, Server, work, write } from './crashing-server.mjs';

export const DAMAGED_CASES = {
  async 'everysec-kill'() {
    const directory = fresh('everysec-kill');
    const server = await Server.start(directory);
    await grown(server);
    const held = await server.state();
    await server.kill();
    return { directory, held, what: 'kill -9; every write was handed to the system' };
  },
  async 'everysec-power'() {
    const directory = fresh('everysec-power');
    const server = await Server.start(directory);
    await grown(server);
    await write(server, 500, 504);
    const held = await server.state();
    await server.kill();
    const path = log(directory, '2.incr.aof');
    truncateSync(path, statSync(path).size - 30);
    return {
      directory,
      held,
      what: 'the last 30 bytes never reached the disk: the log ends inside a transaction',
    };
  },
  async 'corrupt-before-save'() {
    const directory = fresh('corrupt-before-save');
    const server = await Server.start(directory);
    await write(server, 0, 400);
    await server.call('SAVE');
    await write(server, 400, 440);
    const held = await server.state();
    await server.kill();
    const path = log(directory, '1.incr.aof');
    flip(path, readFileSync(path).indexOf('\r\n*', 5000) + 2);
    return {
      directory,
      held,
      what: 'a byte of the log changed, far before the point at which dump.rdb was saved',
    };
  },
  async 'corrupt-after-save'() {
    const directory = fresh('corrupt-after-save');
    const server = await Server.start(directory);
    await write(server, 0, 50);
    await server.call('SAVE');
    await sleep(2100);
    await write(server, 50, 450);
    const held = await server.state();
    await server.kill();
    const path = log(directory, '1.incr.aof');
    flip(path, readFileSync(path).indexOf('\r\n*', statSync(path).size - 900) + 2);
    return { directory, held, what: 'a byte near the end of the log changed, long after dump.rdb was saved' };
  },
  async 'aof-deleted'() {
    const directory = fresh('aof-deleted');
    const server = await Server.start(directory);
    await write(server, 0, 300);
    await server.call('SAVE');
    await write(server, 300, 350);
    const held = await server.state();
    await server.kill();
    rmSync(join(directory, 'appendonlydir'), { recursive: true });
    return { directory, held, what: 'appendonlydir was deleted' };
  },
  async 'appendonly-switched'() {
    const directory = fresh('appendonly-switched', CONF.replace('appendonly yes', 'appendonly no'));
    const server = await Server.start(directory);
    await write(server, 0, 300);
    await server.call('SAVE');
    const held = await server.state();
    await server.kill();
    writeFileSync(join(directory, 'redis.conf'), CONF);
    return {
      directory,
      held,
      what: 'an RDB-only server was switched to appendonly yes by editing redis.conf',
    };
  },
  async 'manifest-lost'() {
    const directory = fresh('manifest-lost');
    const server = await Server.start(directory);
    await grown(server);
    const held = await server.state();
    await server.kill();
    rmSync(log(directory, 'manifest'));
    return { directory, held, what: 'the manifest was deleted' };
  },
  async 'manifest-lost-first'() {
    const directory = fresh('manifest-lost-first');
    const server = await Server.start(directory);
    await write(server, 0, 300);
    const held = await server.state();
    await server.kill();
    rmSync(log(directory, 'manifest'));
    return { directory, held, what: 'the manifest of a log that was never rewritten was deleted' };
  },
  async 'started-empty'() {
    const directory = fresh('started-empty', CONF.replace('save ""', 'save 3600 1'));
    const server = await Server.start(directory);
    await write(server, 0, 300);
    await server.call('SAVE');
    const held = await server.state();
    await server.kill();
    cpSync(join(directory, 'dump.rdb'), join(directory, 'dump.rdb.bak-20261122'), {
      preserveTimestamps: true,
    });
    rmSync(join(directory, 'appendonlydir'), { recursive: true });
    const again = await Server.start(directory);
    await again.call('SET', 'only', 'key');
    again.call('SHUTDOWN').catch(() => {});
    await again.gone();
    return {
      directory,
      held,
      what: 'appendonlydir was deleted, the server started empty and was shut down; a backup is left',
    };
  },
  async 'torn-tail'() {
    const directory = fresh('torn-tail');
    const server = await Server.start(directory);
    await write(server, 0, 300);
    await server.call('SET', 'last', 'x'.repeat(100));
    const held = await server.state();
    await server.kill();
    const path = log(directory, '1.incr.aof');
    truncateSync(path, statSync(path).size - 45);
    return {
      directory,
      held,
      what: 'the last 45 bytes never reached the disk: the log ends inside a command',
    };
  },
  async 'torn-in-the-middle'() {
    const made = await rewriting('torn-in-the-middle', 'rename:after:appendonly.aof.3.base.rdb');
    const path = log(made.directory, '2.incr.aof');
    truncateSync(path, statSync(path).size - 45);
    return { ...made, what: `${made.what}; the increment before the last lost its last 45 bytes` };
  },
  async 'single-log-beside'() {
    const directory = fresh('single-log-beside');
    const server = await Server.start(directory);
    await write(server, 0, 200);
    await server.call('BGREWRITEAOF');
    await server.idle();
    cpSync(log(directory, '2.base.rdb'), join(directory, 'appendonly.aof'), { preserveTimestamps: true });
    await write(server, 200, 300);
    const held = await server.state();
    await server.kill();
    return { directory, held, what: 'an older appendonly.aof stands beside appendonlydir' };
  },
  async 'preamble-damaged-alone'() {
    const directory = fresh('preamble-damaged-alone');
    const server = await Server.start(directory);
    await grown(server);
    const held = await server.state();
    await server.kill();
    flip(log(directory, '2.base.rdb'), 700);
    return { directory, held, what: 'a byte of the base changed, and there is nothing else' };
  },
  async 'preamble-damaged'() {
    const directory = fresh('preamble-damaged');
    const server = await Server.start(directory);
    await write(server, 0, 100);
    await server.call('SAVE');
    await write(server, 100, 300);
    await server.call('BGREWRITEAOF');
    await server.idle();
    await write(server, 300, 500);
    const held = await server.state();
    await server.kill();
    flip(log(directory, '2.base.rdb'), 700);
    return { directory, held, what: 'a byte of the base changed; an older dump.rdb stands beside' };
  },
  async 'disk-full'() {
    const mount = join(work, 'full');
    mkdirSync(mount);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', mount]);
    try {
      writeFileSync(join(mount, 'redis.conf'), CONF);
      const server = await Server.start(mount);
      let held = await server.state();
      for (let i = 0; ; i += 8) {
        try {
          await write(server, i, i + 8);
        } catch {
          break;
        }
        if (i > 8000) throw new Error('the disk never filled up');
      }
      held = await server.state();
      await server.kill();
      const directory = join(work, 'disk-full');
      cpSync(mount, directory, { recursive: true, preserveTimestamps: true });
      return { directory, held, what: 'the disk filled up while the log was appended to; then kill -9' };
    } finally {
      execFileSync('umount', [mount]);
    }
  },
  async 'save-interrupted'() {
    const directory = fresh('save-interrupted', CONF.replace('appendonly yes', 'appendonly no'));
    const server = await Server.start(directory);
    await write(server, 0, 200);
    await server.call('SAVE');
    await write(server, 200, 500);
    await large(server);
    const held = await server.state();
    await server.call('CONFIG', 'SET', 'rdb-key-save-delay', '10000');
    await server.call('BGSAVE');
    await sleep(900);
    const pids = execFileSync('ps', ['-o', 'pid=', '--ppid', String(server.child.pid)], { encoding: 'utf8' });
    await server.kill();
    for (const pid of pids.trim().split(/\s+/)) process.kill(Number(pid), 'SIGKILL');
    return { directory, held, what: 'an RDB-only server killed while it saved: temp-PID.rdb is left' };
  },
};
