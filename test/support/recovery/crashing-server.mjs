// A real server that can be killed at chosen moments, and what is written to it. See make-recovery.mjs.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

export const SERVER = process.env.REDIS_SERVER ?? 'redis-server';
export const LEGACY = process.env.REDIS_LEGACY ?? '';
export const work = mkdtempSync(join(tmpdir(), 'recovery-'));

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
export const killer = join(work, 'killer.so');
execFileSync('cc', ['-shared', '-fPIC', '-o', killer, join(work, 'killer.c'), '-ldl']);

export const CONF = `# as the service had it
port 0
save ""
appendonly yes
appendfsync everysec
auto-aof-rewrite-percentage 0
enable-debug-command yes
`;

export class Server {
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
      .filter((line) => !line.includes('ready to accept'))
      .map((line) => line.replaceAll(/\/\S*\/recovery-\w+\/[\w-]+\//g, ''))
      .filter((line) =>
        /AOF|append only|append-only|RDB|base|incr|DB |loading|truncat|Fatal|read/i.test(line),
      );
  }
}

/** Numbered writes to keys of every kind. */
export async function write(server, from, to) {
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
export async function large(server) {
  for (let i = 0; i < 60; i++) {
    const text = Array.from({ length: 70 }, (_, n) => ((i * 7919 + n * 104729) % 1e6).toString(36)).join('');
    await server.call('SET', `page:${i}`, text);
  }
}

export function fresh(name, conf = CONF) {
  const directory = join(work, name);
  mkdirSync(directory);
  writeFileSync(join(directory, 'redis.conf'), conf);
  return directory;
}

export const killing = (at) => ({ env: { LD_PRELOAD: killer, KILL_AT: at } });
export const log = (directory, name) => join(directory, 'appendonlydir', `appendonly.aof.${name}`);

export function flip(path, offset) {
  const bytes = readFileSync(path);
  bytes[offset] ^= 0x55;
  writeFileSync(path, bytes);
}

/** A log of three generations: base 2, increment 2 rewritten once, then more. */
export async function grown(server) {
  await write(server, 0, 300);
  await server.call('BGREWRITEAOF');
  await server.idle();
  await write(server, 300, 500);
}

export async function rewriting(name, at) {
  const directory = fresh(name);
  const server = await Server.start(directory, killing(at));
  await grown(server);
  const held = await server.state();
  server.arm();
  server.call('BGREWRITEAOF').catch(() => {});
  await server.gone();
  return { directory, held, what: `killed at ${at} of a rewrite` };
}
