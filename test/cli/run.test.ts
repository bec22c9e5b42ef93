import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../src/cli/version.js';
import { runCli } from './memory-io.js';

describe('the frame of the command line', () => {
  it('prints the version of the package', async () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(VERSION).toBe(manifest.version);
    for (const argv of [['--version'], ['-V'], ['-V', '--no-color']]) {
      expect(await runCli(argv)).toEqual({ exit: 0, stdout: `${VERSION}\n`, stderr: '' });
    }
  });

  it('explains itself on standard output when asked, on standard error when not', async () => {
    const asked = await runCli(['--help']);
    expect(asked.exit).toBe(0);
    expect(asked.stderr).toBe('');
    expect(asked.stdout).toContain('Exit codes:');
    const unasked = await runCli([]);
    expect(unasked.exit).toBe(2);
    expect(unasked.stdout).toBe('');
    expect(unasked.stderr).toBe(asked.stdout);
  });

  it('answers an unknown option or command with 2, and shows no control bytes of it', async () => {
    const option = await runCli(['--jsn']);
    expect(option).toMatchObject({ exit: 2, stdout: '' });
    expect(option.stderr).toContain('Did you mean --json?');
    const command = await runCli(['\u001b[2Jcheck']);
    expect(command.exit).toBe(2);
    expect(command.stderr).not.toContain('\u001b');
  });
});
