import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { OPTION_VALUES } from '../../src/cli/describe/option-values.js';
import { outlineOf, type ProgramOutline, SHELLS } from '../../src/cli/describe/outline.js';
import { wholeProgram } from '../../src/cli/program.js';
import { temporaryDirectory } from '../support/temporary.js';
import { runCli } from './memory-io.js';

// The scripts are asked in the shells themselves, where these are installed.

const directory = temporaryDirectory('completion');
let program: ProgramOutline;

beforeAll(async () => {
  program = outlineOf(await wholeProgram());
  for (const shell of SHELLS) {
    const { stdout, exit } = await runCli(['completion', shell]);
    expect(exit).toBe(0);
    writeFileSync(join(directory, `rekindle.${shell}`), stdout);
  }
  writeFileSync(join(directory, 'dump.rdb'), '');
  mkdirSync(join(directory, 'appendonlydir'));
});

/** What is typed, and what the shell makes of it: the only word that it can become. */
const ASKED: readonly (readonly [typed: string, completed: string])[] = [
  ['rekindle conv', 'convert'],
  ['rekindle check --quic', '--quick'],
  ['rekindle convert dump.rdb out --to ndj', 'ndjson'],
  ['rekindle repair dump.rdb --strategy sk', 'skip'],
  ['rekindle --dialect val', 'valkey'],
  ['rekindle verify dump.rdb --format nag', 'nagios'],
  ['rekindle verify dump.rdb --drill em', 'embedded'],
  ['rekindle convert dump.rdb out --compress lz', 'lz4'],
  ['rekindle check redis://host --via du', 'dump'],
  ['rekindle memory dump.rdb --csv pre', 'prefixes'],
  ['rekindle replay dump.rdb --for redis-7.2', 'redis-7.2'],
  ['rekindle help compl', 'completion'],
  ['rekindle completion fi', 'fish'],
  ['rekindle check-aof --fi', '--fix'],
];

const absent = (shell: string): string => {
  const missing = spawnSync(shell, ['--version']).error !== undefined;
  if (missing) console.warn(`skipped: completion in a real ${shell}: it is not installed`);
  return missing ? `(${shell} is not installed)` : '';
};

function run(shell: string, args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(shell, args, {
    cwd: directory,
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

describe.skipIf(absent('bash') !== '')(`bash ${absent('bash')}`, () => {
  it('takes the script, and completes by it', () => {
    run('bash', ['-n', 'rekindle.bash']);
    const asking = ASKED.map(([typed]) => {
      const words = typed.split(' ');
      return `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _rekindle; echo "\${COMPREPLY[*]}"`;
    });
    const answers = run('bash', ['--norc', '-c', `source ./rekindle.bash\n${asking.join('\n')}`]);
    expect(answers.trimEnd().split('\n')).toEqual(ASKED.map(([, completed]) => completed));
  });

  it('completes a value behind an equals sign, and leaves files to the shell', () => {
    const asking = [
      `COMP_WORDS=(rekindle convert --to = ndj); COMP_CWORD=4; _rekindle; echo "\${COMPREPLY[*]}"`,
      `COMP_WORDS=(rekindle check du); COMP_CWORD=2; _rekindle; echo "\${#COMPREPLY[*]}"`,
      'complete -p rekindle',
    ];
    const answers = run('bash', ['--norc', '-c', `source ./rekindle.bash\n${asking.join('\n')}`]);
    expect(answers).toBe('ndjson\n0\ncomplete -o default -F _rekindle rekindle\n');
  });
});

describe.skipIf(absent('fish') !== '')(`fish ${absent('fish')}`, () => {
  it('takes the script, and completes by it', () => {
    run('fish', ['-n', 'rekindle.fish']);
    const files = [['rekindle check dum', 'dump.rdb']] as const;
    const asked = [...ASKED, ...files];
    const asking = asked.map(([typed]) => `complete -C '${typed}'; echo ==`);
    const answers = run('fish', ['--no-config', '-c', `source rekindle.fish\n${asking.join('\n')}`]).split(
      '==\n',
    );
    expect(answers.slice(0, asked.length).map((answer) => answer.split(/\s/)[0])).toEqual(
      asked.map(([, completed]) => completed),
    );
  });
});

describe.skipIf(absent('zsh') !== '')(`zsh ${absent('zsh')}`, () => {
  it('takes the script, and completes by it', () => {
    run('zsh', ['-n', 'rekindle.zsh']);
    const files = [['rekindle check dum', 'dump.rdb']] as const;
    const asked = [...ASKED, ...files];
    writeFileSync(join(directory, 'asking.zsh'), zshAsking(asked.map(([typed]) => typed)));
    const answers = run('zsh', ['-f', 'asking.zsh']);
    expect(
      answers
        .trimEnd()
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual(asked.map(([typed, completed]) => `${typed.slice(0, typed.lastIndexOf(' '))} ${completed}`));
  });
});

/** An interactive zsh on a terminal of its own, where a key completes and says what the line became. */
function zshAsking(lines: readonly string[]): string {
  return `zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PROMPT=; autoload -Uz compinit; compinit -u -D; source ./rekindle.zsh"
zpty -w z 'finish() { zle complete-word; print -r -- "$BUFFER" >> answers }; zle -N finish; bindkey "^T" finish'
: > answers
for line in ${lines.map((line) => `"${line}"`).join(' ')}; do
  before=$(wc -l < answers)
  zpty -w -n z $'\\C-U'"$line"$'\\C-T'
  for i in {1..500}; do
    [ $(wc -l < answers) -gt $before ] && break
    sleep 0.02
  done
done
zpty -d z
cat answers
`;
}

it('every value that is offered is taken, and every list is offered whole', async () => {
  for (const command of program.commands) {
    for (const { long, value } of command.options) {
      if (value.kind !== 'words') continue;
      const { stderr, exit } = await runCli([command.name, 'no.rdb', 'out', long, 'zzz']);
      const list = /is none of (.*)$/m.exec(stderr)?.[1] ?? /one of (.*)$/m.exec(stderr)?.[1];
      if (list !== undefined) expect(list.split(', '), `${command.name} ${long}`).toEqual([...value.words]);
      else expect([0, 1, 3, 4], `${command.name} ${long}: ${stderr}`).not.toContain(exit);
    }
  }
});

it('every list belongs to an option that some command has', () => {
  const all = program.commands.flatMap(({ name, options }) =>
    options.map(({ long }) => [long, `${name} ${long}`]),
  );
  const names = new Set([...all.flat(), ...program.options.map(({ long }) => long)]);
  expect(Object.keys(OPTION_VALUES).filter((name) => !names.has(name))).toEqual([]);
});
