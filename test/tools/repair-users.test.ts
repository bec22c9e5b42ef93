import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { findUsers } from '../../src/tools/repair/open-files.js';
import { temporaryDirectory } from '../support/temporary.js';

let proc = '';
beforeEach(() => {
  proc = temporaryDirectory('proc');
  symlinkSync('1', join(proc, 'self'));
  writeFileSync(join(proc, 'uptime'), '1 1');
});

interface Told {
  readonly name: string;
  readonly program?: string;
  readonly cwd?: string;
  /** Path and flags, in octal, of what it has open. */
  readonly open?: readonly (readonly [path: string, flags: string])[];
}

/** What the system tells of one process; of one without `open` it tells another user nothing of its files. */
function process(pid: number, { name, program, cwd, open }: Told): void {
  const room = join(proc, String(pid));
  mkdirSync(join(room, 'fd'), { recursive: true });
  mkdirSync(join(room, 'fdinfo'));
  writeFileSync(join(room, 'comm'), `${name}\n`);
  if (program !== undefined) symlinkSync(program, join(room, 'exe'));
  if (cwd !== undefined) symlinkSync(cwd, join(room, 'cwd'));
  open?.forEach(([path, flags], i) => {
    symlinkSync(path, join(room, 'fd', String(i)));
    writeFileSync(join(room, 'fdinfo', String(i)), `pos:\t0\nflags:\t${flags}\nmnt_id:\t1\n`);
  });
}

const LOG = '/data/appendonlydir/a.aof.1.incr.aof';
const users = () => findUsers([LOG], ['/data', '/data/appendonlydir'], proc);

it('finds who has a file open for writing, whatever it is', () => {
  process(7, {
    name: 'tee',
    open: [
      ['/dev/null', '02'],
      [LOG, '0102001'],
    ],
  });
  expect(users()).toEqual({ users: [{ pid: 7, name: 'tee', path: LOG }], unseen: [], known: true });
});

it('leaves those alone that read it, work elsewhere, or are this process', () => {
  process(1, { name: 'node', open: [[LOG, '0100002']] });
  process(7, { name: 'tail', open: [[LOG, '0100000']] });
  process(8, { name: 'redis-server', cwd: '/other', open: [['/other/x', '02']] });
  process(9, { name: 'bash', cwd: '/data', open: [] });
  expect(users()).toEqual({ users: [], unseen: [], known: true });
});

it('finds servers that work in the directory or have anything open there, by name or by program', () => {
  process(7, { name: 'redis-server', cwd: '/data', open: [] });
  process(8, {
    name: 'main',
    program: '/usr/bin/valkey-server (deleted)',
    open: [['/data/temp-8.rdb', '0101']],
  });
  expect(users().users).toEqual([
    { pid: 7, name: 'redis-server', path: '/data' },
    { pid: 8, name: 'main', path: '/data/temp-8.rdb' },
  ]);
});

it('says that it does not know where nothing is told', () => {
  expect(findUsers([LOG], [], join(proc, 'missing'))).toEqual({ users: [], unseen: [], known: false });
});
