import type { CommandOutline, OptionOutline, ProgramOutline } from './outline.js';

/** A completion function for zsh: put it into a directory of $fpath as _rekindle, or source it. */
export function zshCompletion(program: ProgramOutline): string {
  const { name, options, commands } = program;
  return `#compdef ${name}
# zsh completion for ${name}, written by \`${name} completion zsh\`
_${name}() {
  local curcontext="$curcontext" state line
  local -a commands every
  typeset -A opt_args
  commands=(
${commands.map((each) => `    ${quoted(`${each.name}:${each.summary}`)}`).join('\n')}
  )
  every=(
${options.map((option) => `    ${argument(option)}`).join('\n')}
  )
  _arguments -C $every '1: :->command' '*:: :->arguments'
  case $state in
    command)
      _describe -t commands '${name} command' commands
      ;;
    arguments)
      case $words[1] in
${commands.map(commandCase).join('\n')}
      esac
      ;;
  esac
}
if [ "\${funcstack[1]}" = _${name} ]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`;
}

function commandCase({ name, options, words }: CommandOutline): string {
  const own = options.map((option) => ` \\\n            ${argument(option)}`).join('');
  const rest = words === null ? "'*:file:_files'" : quoted(`*: :(${words.join(' ')})`);
  return `        ${name})
          _arguments $every${own} \\
            ${rest}
          ;;`;
}

function argument({ long, short, what, value }: OptionOutline): string {
  const text = what.replace(/[[\]:\\]/g, '\\$&');
  const behind =
    value.kind === 'none'
      ? ''
      : value.kind === 'words'
        ? `: :(${value.words.map((word) => word.replaceAll(':', '\\:')).join(' ')})`
        : value.kind === 'path'
          ? ':file:_files'
          : ': : ';
  const assign = value.kind === 'none' ? '' : '=';
  const one = (flag: string, sign: string) => quoted(`*${flag}${sign}[${text}]${behind}`);
  return short === null ? one(long, assign) : `${one(short, '')} ${one(long, assign)}`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
