import type { Command, Option } from 'commander';
import { FOREIGN_OPTIONS, OPTION_VALUES } from './option-values.js';

/** What stands behind an option: nothing, one of some words, a path, or anything. */
export type Value =
  | { readonly kind: 'none' }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'path' }
  | { readonly kind: 'free' };

export interface OptionOutline {
  /** With its dashes. */
  readonly long: string;
  readonly short: string | null;
  /** As the help shows it: `--out <path>`. */
  readonly flags: string;
  readonly what: string;
  readonly value: Value;
}

export interface CommandOutline {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly options: readonly OptionOutline[];
  /** Words that can stand as its arguments; null: paths. */
  readonly words: readonly string[] | null;
  readonly arguments: readonly { readonly name: string; readonly what: string }[];
  /** What its help says behind the options: examples, exit codes. */
  readonly more: string;
}

/** The program as it describes itself. */
export interface ProgramOutline {
  readonly name: string;
  readonly what: string;
  readonly usage: string;
  /** Options of every command. */
  readonly options: readonly OptionOutline[];
  readonly commands: readonly CommandOutline[];
  readonly more: string;
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** Reads the outline off a program with all its commands. */
export function outlineOf(program: Command): ProgramOutline {
  const commands = program.commands.map(commandOutline);
  const names = commands.map(({ name }) => name);
  return {
    name: program.name(),
    what: program.description(),
    usage: `${program.name()} ${program.usage()}`,
    options: [...program.options.map((option) => optionOutline(option, '')), HELP],
    commands: [
      ...commands,
      {
        name: 'help',
        summary: 'show help for a command',
        usage: 'rekindle help [COMMAND]',
        options: [],
        words: names,
        arguments: [],
        more: '',
      },
    ],
    more: moreOf(program),
  };
}

const HELP: OptionOutline = {
  long: '--help',
  short: '-h',
  flags: '-h, --help',
  what: 'show help',
  value: { kind: 'none' },
};

function commandOutline(command: Command): CommandOutline {
  const name = command.name();
  const foreign = (FOREIGN_OPTIONS[name] ?? []).map(([flags, what]) =>
    optionOutline(command.createOption(flags, what), name),
  );
  return {
    name,
    summary: command.summary(),
    usage: `rekindle ${name} ${command.usage()}`,
    options: [...command.options.map((option) => optionOutline(option, name)), ...foreign],
    words: name === 'completion' ? SHELLS : null,
    arguments: command.registeredArguments.map((each) => ({ name: each.name(), what: each.description })),
    more: moreOf(command),
  };
}

function optionOutline(option: Option, command: string): OptionOutline {
  const { flags, description } = option;
  const long = option.long ?? flags;
  return {
    long,
    short: option.short ?? null,
    flags,
    what: description,
    value: valueBehind(option, command, long),
  };
}

const PATH = /[<[](path|file|dir|directory|program|out)[>\]]/;

function valueBehind({ flags, required, optional }: Option, command: string, long: string): Value {
  if (!required && !optional) return { kind: 'none' };
  const words = OPTION_VALUES[`${command} ${long}`] ?? OPTION_VALUES[long];
  if (words !== undefined) return { kind: 'words', words };
  return PATH.test(flags) ? { kind: 'path' } : { kind: 'free' };
}

/** What `addHelpText` put behind the options. */
function moreOf(command: Command): string {
  let text = '';
  const own = command.configureOutput();
  command.configureOutput({
    ...own,
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  command.configureOutput(own);
  return text.slice(command.helpInformation().length).trim();
}
