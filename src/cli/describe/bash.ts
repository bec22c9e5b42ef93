import type { OptionOutline, ProgramOutline } from './outline.js';

/** A completion script for bash 3.2 and later; it needs nothing else, bash-completion included. */
export function bashCompletion(program: ProgramOutline): string {
  const { name, options, commands } = program;
  const names = commands.map((command) => command.name);
  const valueCases = commands.flatMap((command) =>
    command.options.filter(hasWords).map((option) => valueCase(command.name, option)),
  );
  const cases = commands.map(
    (command) =>
      `    ${command.name}) options='${flagsOf(command.options)}' arguments='${(command.words ?? []).join(' ')}' ;;`,
  );
  return `# bash completion for ${name}, written by \`${name} completion bash\`
_${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local command= options= arguments= i
  COMPREPLY=()
  # Bash hands \`--for=x\` over as three words.
  if [ "$cur" = '=' ]; then
    cur=
  elif [ "$prev" = '=' ] && [ "$COMP_CWORD" -ge 2 ]; then
    prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${names.join('|')})
        command=\${COMP_WORDS[i]}
        break
        ;;
    esac
  done
  case "$command $prev" in
${[...valueCases, ...options.filter(hasWords).map((option) => valueCase('*', option))].join('\n')}
  esac
  case $command in
    '') arguments='${names.join(' ')}' ;;
${cases.join('\n')}
  esac
  case $cur in
    -*) COMPREPLY=($(compgen -W "$options ${flagsOf(options)}" -- "$cur")) ;;
    *) [ -n "$arguments" ] && COMPREPLY=($(compgen -W "$arguments" -- "$cur")) ;;
  esac
  # Nothing given: bash completes names of files.
  return 0
}
complete -o default -F _${name} ${name}
`;
}

const hasWords = ({ value }: OptionOutline): boolean => value.kind === 'words';

function valueCase(command: string, { long, value }: OptionOutline): string {
  const words = value.kind === 'words' ? value.words.join(' ') : '';
  const pattern = command === '*' ? `*" ${long}"` : `"${command} ${long}"`;
  return `    ${pattern}) COMPREPLY=($(compgen -W '${words}' -- "$cur")); return 0 ;;`;
}

const flagsOf = (options: readonly OptionOutline[]): string => options.map(({ long }) => long).join(' ');
