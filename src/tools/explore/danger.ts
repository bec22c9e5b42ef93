import type { CommandSpans } from '../../resp/command.js';

/** So many keys in one DEL are no ordinary clean-up. */
const MANY_KEYS = 20;

/** True for a command that loses or moves much at once: what one looks for after an accident. */
export function isDangerous(command: CommandSpans): boolean {
  switch (command.argc === 0 ? 0 : command.bytes[command.starts[0]!]! & 0x5f) {
    case F:
      if (command.is(0, 'FUNCTION'))
        return ['FLUSH', 'DELETE', 'RESTORE'].some((name) => command.is(1, name));
      return command.is(0, 'FLUSHALL') || command.is(0, 'FLUSHDB');
    case D:
      return command.argc > MANY_KEYS && command.is(0, 'DEL');
    case U:
      return command.argc > MANY_KEYS && command.is(0, 'UNLINK');
    case S:
      return command.is(0, 'SWAPDB') || (command.is(0, 'SCRIPT') && command.is(1, 'FLUSH'));
    case T:
      return command.is(0, 'TRIMSLOTS');
    default:
      return false;
  }
}

const [D, F, S, T, U] = [...'DFSTU'].map((letter) => letter.charCodeAt(0));
