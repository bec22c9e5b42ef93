import type { CommandDefinition } from '../catalog.js';
import { bashCompletion } from '../describe/bash.js';
import { fishCompletion } from '../describe/fish.js';
import { outlineOf, SHELLS } from '../describe/outline.js';
import { zshCompletion } from '../describe/zsh.js';
import type { Session } from '../session.js';
import { parseWord } from '../values.js';

export const completion: CommandDefinition = {
  define(command, launch) {
    command
      .usage('SHELL')
      .argument('<shell>', `${SHELLS.join(', ')}`)
      .addHelpText('after', HELP)
      .action((shell: string) => launch((session) => run(shell, session)));
  },
};

const HELP = `
Examples:
  rekindle completion bash > ~/.local/share/bash-completion/completions/rekindle
  rekindle completion zsh > ~/.zfunc/_rekindle                        with fpath=(~/.zfunc $fpath) before compinit
  rekindle completion fish > ~/.config/fish/completions/rekindle.fish
  source <(rekindle completion bash)                                  for this shell alone

Commands, options, values of options and files are completed. The script asks nothing of rekindle while you type; write it
anew after an update.`;

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

async function run(name: string, session: Session): Promise<number> {
  const shell = parseWord(name, 'SHELL', SHELLS);
  const { wholeProgram } = await import('../program.js');
  session.print(SCRIPTS[shell](outlineOf(await wholeProgram())));
  return 0;
}
