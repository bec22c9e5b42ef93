// Makes the directories of testdata/recovery: real servers that are killed at chosen moments, and what became of their
// files. Needs redis-server 7.0, a C compiler, and for the full disk the right to mount. testdata/README.md tells of the
// result. Usage: node test/support/make-recovery.mjs FOLDER [CASE…]

import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

const [folder, ...wanted] = process.argv.slice(2);
const SERVER = process.env.REDIS_SERVER ?? 'redis-server';
const LEGACY = process.env.REDIS_LEGACY ?? '';
const work = mkdtempSync(join(tmpdir(), 'recovery-'));

/** Kills the process right before or right after it renames to, or unlinks, a name that ends as KILL_AT says. */
const KILLER = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int hits(const char *call, const char *when, const char *name) {
  const char *at = getenv("KILL_AT");
  if (!at) return 0;
  char want[256];
  strcpy(want, call); strcat(want, ":"); strcat(want, when); strcat(want, ":");
  size_t n = strlen(want);
  if (strncmp(at, want, n)) return 0;
  const char *end = at + n;
  size_t have = strlen(name), need = strlen(end);
  if (have < need || strcmp(name + have - need, end)) return 0;
  const char *gate = getenv("KILL_WHEN");
  return !gate || access(gate, F_OK) == 0;
}
static void die(void) { kill(getpid(), SIGKILL); pause(); }
int rename(const char *from, const char *to) {
  int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
  if (hits("rename", "before", to)) die();
  int result = real(from, to);
  if (hits("rename", "after", to)) die();
  return result;
}
int unlink(const char *name) {
  int (*real)(const char *) = dlsym(RTLD_NEXT, "unlink");
  if (hits("unlink", "before", name)) die();
  int result = real(name);
  if (hits("unlink", "after", name)) die();
  return result;
}
`;
writeFileSync(join(work, 'killer.c'), KILLER);
const killer = join(work, 'killer.so');
execFileSync('cc', ['-shared', '-fPIC', '-o', killer, join(work, 'killer.c'), '-ldl']);

const CONF = `# as the service had it
port 0
save ""
appendonly yes
appendfsync everysec
auto-aof-rewrite-percentage 0
enable-debug-command yes
`;

class Server {
  static async start(directory, { env = {}, args = [], program = SERVER } = {}) {
    const server = new Server();
    server.directory = directory;
    server.gate = join(work, `gate-${Math.random()}`);
    const socket = join(work, `${Math.random()}.sock`);
    server.log = join(work, `${Math.random()}.log`);
    const base = ['--unixsocket', socket, '--dir', directory, '--logfile', server.log];
    server.child = spawn(program, [join(directory, 'redis.conf'), ...base, ...args], {
      stdio: 'ignore',
      env: { ...process.env, ...env, KILL_WHEN: server.gate },
    });
    server.ended = new Promise((resolve) => server.child.once('exit', (code) => resolve(code)));
    let gone = false;
    server.ended.then(() => (gone = true));
    for (let i = 0; i < 400 && !gone && !existsSync(socket); i++) await sleep(10);
    server.started = !gone && existsSync(socket);
    if (!server.started) return server;
    server.redis = new Redis({ path: socket, maxRetriesPerRequest: null, retryStrategy: () => 20 });
    server.redis.on('error', () => {});
    for (let i = 0; i < 400 && !gone; i++) {
      const asked = server.redis.info('persistence').catch(() => '');
      if (String(await Promise.race([asked, server.ended])).includes('loading:0')) break;
      await sleep(10);
    }
    server.started = !gone;
    if (gone) server.redis.disconnect();
    return server;
  }

  call(...args) {
    return this.redis.call(...args);
  }

  async state() {
    const info = await this.redis.info('keyspace');
    const dbsize = Object.fromEntries([...info.matchAll(/^db(\d+):keys=(\d+)/gm)].map((m) => [m[1], +m[2]]));
    return { digest: await this.call('DEBUG', 'DIGEST'), dbsize };
  }

  /** From now on the process dies at its KILL_AT. */
  arm() {
    writeFileSync(this.gate, '');
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
    this.redis?.disconnect();
  }

  async gone() {
    await this.ended;
    this.redis.disconnect();
  }

  async idle() {
    for (;;) {
      const info = await this.redis.info('persistence');
      if (/aof_rewrite_in_progress:0/.test(info) && /rdb_bgsave_in_progress:0/.test(info)) return;
      await sleep(20);
    }
  }

  lines() {
    return readFileSync(this.log, 'latin1')
      .split('\n')
      .flatMap((line) => /^\d+:\w .*? ([#*]) (.*)$/.exec(line)?.[2] ?? [])
      .filter((line) =>
        /AOF|append only|append-only|RDB|base|incr|DB |loading|truncat|Fatal|read/i.test(line),
      );
  }
}

/** Numbered writes to keys of every kind. */
async function write(server, from, to) {
  const pipe = server.redis.pipeline();
  for (let i = from; i < to; i++) {
    const id = String(i).padStart(5, '0');
    switch (i % 8) {
      case 0:
        pipe.call('SET', `session:${id}`, `token-${i * 7919}`, 'PXAT', '4102444800000');
        break;
      case 1:
        pipe.call('HSET', `user:${i % 40}`, 'name', `name ${i}`, 'visits', String(i));
        break;
      case 2:
        pipe.call('ZADD', 'board', String(i), `player:${i % 97}`);
        break;
      case 3:
        pipe.call('RPUSH', `queue:${i % 5}`, `job ${id}`);
        break;
      case 4:
        pipe.call('SADD', `tag:${i % 7}`, `item:${id}`);
        break;
      case 5:
        pipe.call('XADD', 'events', `${1700000000000 + i}-1`, 'n', String(i));
        break;
      case 6:
        pipe.call('INCRBY', 'counter', String(i));
        break;
      case 7:
        pipe.call('MULTI');
        pipe.call('SET', `order:${id}`, 'paid');
        pipe.call('INCR', 'orders');
        pipe.call('EXEC');
        break;
    }
  }
  for (const [error] of await pipe.exec()) if (error) throw error;
}

/** Enough that a file being written leaves its buffer before it ends. */
async function large(server) {
  for (let i = 0; i < 60; i++) {
    const text = Array.from({ length: 70 }, (_, n) => ((i * 7919 + n * 104729) % 1e6).toString(36)).join('');
    await server.call('SET', `page:${i}`, text);
  }
}

function fresh(name, conf = CONF) {
  const directory = join(work, name);
  mkdirSync(directory);
  writeFileSync(join(directory, 'redis.conf'), conf);
  return directory;
}

const killing = (at) => ({ env: { LD_PRELOAD: killer, KILL_AT: at } });
const log = (directory, name) => join(directory, 'appendonlydir', `appendonly.aof.${name}`);

function flip(path, offset) {
  const bytes = readFileSync(path);
  bytes[offset] ^= 0x55;
  writeFileSync(path, bytes);
}

/** A log of three generations: base 2, increment 2 rewritten once, then more. */
async function grown(server) {
  await write(server, 0, 300);
  await server.call('BGREWRITEAOF');
  await server.idle();
  await write(server, 300, 500);
}

async function rewriting(name, at) {
  const directory = fresh(name);
  const server = await Server.start(directory, killing(at));
  await grown(server);
  const held = await server.state();
  server.arm();
  server.call('BGREWRITEAOF').catch(() => {});
  await server.gone();
  return { directory, held, what: `killed at ${at} of a rewrite` };
}

const CASES = {
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
    const held = await server.state();
    await server.kill();
    const path = log(directory, '2.incr.aof');
    truncateSync(path, statSync(path).size - 45);
    return {
      directory,
      held,
      what: 'the last 45 bytes never reached the disk: the log ends inside a transaction',
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

if (LEGACY !== '') {
  CASES['legacy-rewrite'] = async () => {
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

/** What a server makes of a copy of the directory. */
async function startOn(directory, args) {
  const copy = mkdtempSync(join(work, 'copy-'));
  cpSync(directory, copy, { recursive: true, preserveTimestamps: true });
  const server = await Server.start(copy, { args: [...args, '--enable-debug-command', 'yes'] });
  const settings = args.join(' ').replaceAll('--', '');
  if (!server.started) {
    return { settings, started: false, exit: await server.ended, log: server.lines() };
  }
  const state = await server.state();
  const lines = server.lines();
  await server.kill();
  const filesAfter = readdirSync(copy, { recursive: true }).filter((name) =>
    statSync(join(copy, name)).isFile(),
  );
  return { settings, started: true, ...state, log: lines, filesAfter: filesAfter.sort() };
}

for (const [name, make] of Object.entries(CASES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const { directory, held, what } = await make();
  const starts = [
    await startOn(directory, []),
    await startOn(directory, ['--appendonly', 'yes']),
    await startOn(directory, ['--appendonly', 'no']),
    await startOn(directory, ['--appendonly', 'yes', '--aof-load-truncated', 'no']),
  ];
  const out = join(folder, name);
  rmSync(out, { recursive: true, force: true });
  cpSync(directory, join(out, 'data'), { recursive: true, preserveTimestamps: true });
  rmSync(join(out, 'data', 'redis.sock'), { force: true });
  const modified = Object.fromEntries(
    readdirSync(directory, { recursive: true })
      .filter((file) => statSync(join(directory, file)).isFile())
      .map((file) => [file, Math.floor(statSync(join(directory, file)).mtimeMs)]),
  );
  const version = execFileSync(SERVER, ['--version'], { encoding: 'utf8' }).match(/v=(\S+)/)[1];
  writeFileSync(
    join(out, 'truth.json'),
    `${JSON.stringify({ case: name, server: version, what, held, modified, starts }, null, 1)}\n`,
  );
  console.log(
    name,
    held.digest?.slice(0, 8),
    starts.map((each) => (each.started ? each.digest.slice(0, 8) : 'refused')).join(' '),
  );
}
rmSync(work, { recursive: true, force: true });
process.exit(0);
