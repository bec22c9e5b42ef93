import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { corpusPath } from '../support/corpus.js';

// What only a real terminal shows: `script` makes one. The input comes in two parts, a good second apart.

const absence = spawnSync('script', ['--version']).error === undefined ? '' : 'script is not installed';
if (absence !== '') console.warn(`skipped: progress on a real terminal: ${absence}`);

/** Tests of the program at a path, which is made by then. */
export function progressTests(program: () => string): void {
  describe.skipIf(absence !== '')(`progress on a real terminal ${absence}`, () => {
    it('shows how far it is, wipes that before the result, and says how long it took', () => {
      const file = corpusPath('redis-7.0.15', 'bulk.rdb');
      const slowly = `(head -c 70000 '${file}'; sleep 1.2; tail -c +70001 '${file}')`;
      const line = `stty rows 24 cols 90; ${slowly} | '${process.execPath}' '${program()}' check -`;
      const { stdout } = spawnSync('script', ['-qfec', line, '/dev/null'], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], TERM: 'xterm', SHELL: '/bin/sh', NO_COLOR: '1' },
      });
      const shown = stdout.replaceAll('\r\n', '\n');
      expect(shown).toMatch(/\rreceiving <stdin> {2}\d+ kB(, [\d.]+ kB\/s)?\u001b\[K/);
      // All that was drawn is wiped before a line that stays.
      expect(shown).toMatch(/\r\u001b\[2K.*intact/s);
      expect(shown).toMatch(/\ntook \d\.\d s, \d+ kB, \d+ kB\/s(, [\d,]+ keys)?\n$/);
      const left = shown.replace(/\r[^\n]*?\u001b\[2K/g, '');
      expect(left).not.toMatch(/\u001b|receiving|checking/);
    });
  });
}
