import type { CommandOutline, OptionOutline, ProgramOutline } from './outline.js';

/** Completions for fish: put them into ~/.config/fish/completions/rekindle.fish. */
export function fishCompletion(program: ProgramOutline): string {
  const { name, options, commands } = program;
  const first = `complete -c ${name} -n __fish_use_subcommand`;
  return [
    `# fish completion for ${name}, written by \`${name} completion fish\``,
    ...commands.map((each) => `${first} -f -a ${each.name} -d ${quoted(each.summary)}`),
    ...options.map((option) => `complete -c ${name}${flags(option)}`),
    ...commands.flatMap((command) => linesOf(name, command)),
    '',
  ].join('\n');
}

function linesOf(program: string, { name, options, words }: CommandOutline): string[] {
  const seen = `complete -c ${program} -n '__fish_seen_subcommand_from ${name}'`;
  const own = options.map((option) => `${seen}${flags(option)}`);
  return words === null ? own : [...own, `${seen} -f -a ${quoted(words.join(' '))}`];
}

function flags({ long, short, what, value }: OptionOutline): string {
  const letter = short === null ? '' : ` -s ${short.slice(1)}`;
  const behind = {
    none: '',
    words: ` -x -a ${quoted(value.kind === 'words' ? value.words.join(' ') : '')}`,
    path: ' -r -F',
    free: ' -x',
  };
  return `${letter} -l ${long.slice(2)}${behind[value.kind]} -d ${quoted(what)}`;
}

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
