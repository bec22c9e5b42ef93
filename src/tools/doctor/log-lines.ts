import { StringDecoder } from 'node:string_decoder';

/** Bytes of a line that are looked at; the rest of it is passed over. */
export const LINE_BYTES_MAX = 16_384;

/** Cuts bytes into lines, of which none is held longer than its first bytes. */
export class LineCutter {
  /** Lines given so far. */
  count = 0;
  private held: Buffer[] = [];
  private heldBytes = 0;
  private isOpen = false;

  constructor(private readonly onLine: (text: string, number: number) => void) {}

  push(bytes: Uint8Array): void {
    let from = 0;
    while (from < bytes.length) {
      const end = bytes.indexOf(0x0a, from);
      this.hold(bytes.subarray(from, end < 0 ? bytes.length : end));
      if (end < 0) return;
      this.give();
      from = end + 1;
    }
  }

  /** The end of the input: a last line may lack its line feed. */
  end(): void {
    if (this.isOpen) this.give();
  }

  private hold(part: Uint8Array): void {
    this.isOpen = true;
    const room = LINE_BYTES_MAX - this.heldBytes;
    if (room <= 0 || part.length === 0) return;
    // Copied: the reader's memory is used again.
    this.held.push(Buffer.from(part.subarray(0, room)));
    this.heldBytes += Math.min(room, part.length);
  }

  private give(): void {
    this.count++;
    const text = new StringDecoder('utf8').end(Buffer.concat(this.held));
    this.held = [];
    this.heldBytes = 0;
    this.isOpen = false;
    this.onLine(text, this.count);
  }
}

/** What a line of a log says, without the wrapping of whoever kept it: JSON (Docker, journald, Kubernetes), colours. */
export function saidIn(line: string): string[] {
  const trimmed = line.trim();
  const inner = trimmed.startsWith('{') ? fieldOfJson(trimmed) : null;
  return (inner ?? trimmed)
    .split(/[\r\n]+/)
    .map(plain)
    .filter((text) => text !== '');
}

const TEXT_FIELDS = ['log', 'MESSAGE', 'message', 'msg', 'text', 'body', 'textPayload', 'line'];

function fieldOfJson(text: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name of TEXT_FIELDS) {
    const field = fields[name];
    if (typeof field === 'string') return field;
    // journald gives a message with control bytes as numbers.
    if (Array.isArray(field) && field.every((each) => typeof each === 'number')) {
      return Buffer.from(field).toString('utf8');
    }
  }
  return null;
}

/** Without colours and other control bytes, blanks single. */
function plain(text: string): string {
  return text
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '')
    .replace(/[\u0000-\u0020\u007f-\u009f]+/g, ' ')
    .trim();
}

const MONTHS = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec';
const REDIS_TIME = new RegExp(`\\b\\d{1,2} (?:${MONTHS}) (?:\\d{4} )?\\d\\d:\\d\\d:\\d\\d(?:\\.\\d{3})?`);
const OTHER_TIME = new RegExp(
  `\\b\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d:\\d\\d[.\\d]*Z?|\\b(?:${MONTHS}) [ \\d]\\d \\d\\d:\\d\\d:\\d\\d`,
);

/** When a line was written, as it stands there; '' when it does not say. */
export function timeIn(line: string): string {
  const start = line.slice(0, 200);
  return (REDIS_TIME.exec(start) ?? OTHER_TIME.exec(start))?.[0] ?? '';
}
