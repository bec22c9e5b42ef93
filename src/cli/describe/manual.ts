import type { CommandOutline, OptionOutline, ProgramOutline } from './outline.js';

/** Manual pages by the names of their files: one of the program, one of each command. */
export function manualPages(program: ProgramOutline, version: string): Map<string, string> {
  const pages = new Map<string, string>();
  pages.set(`${program.name}.1`, programPage(program, version));
  for (const command of program.commands) {
    if (command.name === 'help') continue;
    pages.set(`${program.name}-${command.name}.1`, commandPage(program, command, version));
  }
  return pages;
}

function programPage(program: ProgramOutline, version: string): string {
  const { name, what, usage, options, commands, more } = program;
  return [
    heading(name, version),
    '.SH NAME',
    `${escaped(name)} \\- ${escaped(lower(what))}`,
    '.SH SYNOPSIS',
    escaped(usage),
    '.SH DESCRIPTION',
    'rekindle reads, checks, repairs, replays and rewrites the persistence files of Redis and Valkey: RDB',
    'snapshots and append-only files. A source is opened read-only; an output appears whole or not at all.',
    '.SH COMMANDS',
    ...commands.flatMap((each) => item(each.name, each.summary)),
    '.SH OPTIONS',
    ...options.flatMap(optionItem),
    ...sections(more),
    '.SH SEE ALSO',
    seeAlso(
      name,
      commands.filter((each) => each.name !== 'help').map((each) => each.name),
    ),
    '',
  ].join('\n');
}

function commandPage(program: ProgramOutline, command: CommandOutline, version: string): string {
  const full = `${program.name}-${command.name}`;
  const own = command.options.length === 0 ? [] : ['.SH OPTIONS', ...command.options.flatMap(optionItem)];
  return [
    heading(full, version),
    '.SH NAME',
    `${escaped(full)} \\- ${escaped(command.summary)}`,
    '.SH SYNOPSIS',
    escaped(command.usage),
    '.SH ARGUMENTS',
    ...command.arguments.flatMap((each) => item(each.name.toUpperCase(), each.what)),
    ...own,
    '.SH OPTIONS OF EVERY COMMAND',
    ...program.options.flatMap(optionItem),
    ...sections(command.more),
    '.SH SEE ALSO',
    `.BR ${program.name} (1)`,
    '',
  ].join('\n');
}

function heading(name: string, version: string): string {
  return `.\\" Written from the program's own help.\n.TH ${escaped(name.toUpperCase())} 1 "" "rekindle ${version}" "rekindle"`;
}

function seeAlso(program: string, names: readonly string[]): string {
  return names
    .map((name, i) => `.BR ${escaped(`${program}-${name}`)} (1)${i < names.length - 1 ? ',' : ''}`)
    .join('\n');
}

const optionItem = ({ flags, what }: OptionOutline): string[] => item(flags, what);

const item = (term: string, text: string): string[] => ['.TP', `.B ${escaped(term)}`, escaped(text)];

/** The text behind the options: a paragraph that begins with `Title:` is a section of that name. */
function sections(text: string): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split(/\n\n+/)) {
    const [first, ...rest] = paragraph.split('\n');
    const title = /^([A-Z][\w ]+):$/.exec(first!)?.[1];
    const inline = /^(Exit codes): (.*)$/s.exec(paragraph);
    if (title !== undefined && rest.length > 0) {
      lines.push(
        `.SH ${title.toUpperCase()}`,
        '.nf',
        ...rest.map((line) => escaped(line.replace(/^ {2}/, ''))),
        '.fi',
      );
    } else if (inline !== null) {
      lines.push('.SH EXIT STATUS', escaped(inline[2]!.replaceAll('\n', ' ')));
    } else if (paragraph !== '') {
      lines.push('.SH NOTES', escaped(paragraph.replaceAll('\n', ' ')));
    }
  }
  return lines;
}

/** Text that roff shows as it stands. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^[.']/, '\\&$&')
    .replaceAll('…', '\\[u2026]');
}

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, '');
