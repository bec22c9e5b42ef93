/** Commands as a log holds them: words separated by blanks, one command a text; a text that begins with # is a line. */
export function resp(...commands: readonly string[]): string {
  return commands
    .map((command) => {
      if (command.startsWith('#')) return `${command}\r\n`;
      const words = command.split(' ');
      return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
    })
    .join('');
}
