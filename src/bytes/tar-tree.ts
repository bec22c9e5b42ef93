import { InputError } from '../errors.js';
import type { FileTree, SizedSource } from './file-tree.js';
import { type ByteReader, type ByteSource, MemorySource } from './source.js';
import { DATA_NAME, type TarIndex, type TarMember } from './tar.js';

/** Part of a source as one of its own. */
export class RangeSource implements ByteSource {
  constructor(
    private readonly whole: ByteSource,
    readonly label: string,
    private readonly start: number,
    readonly size: number,
  ) {}

  async open(start = 0): Promise<ByteReader> {
    const reader = await this.whole.open(this.start + Math.min(start, this.size));
    let left = this.size - Math.min(start, this.size);
    return {
      read: async (into) => {
        if (left === 0) return 0;
        const count = await reader.read(into.subarray(0, Math.min(into.length, left)));
        left -= count;
        return count;
      },
      close: () => reader.close(),
    };
  }
}

/**
 * A member of an archive that can't be gone back in. Passes from its start stream, its ends are in memory; the first pass
 * from anywhere else has it copied to a temporary file.
 */
class PackedMember implements SizedSource {
  readonly size: number;
  private readonly range: RangeSource;
  private copy: Promise<SizedSource> | null = null;

  constructor(
    private readonly whole: ByteSource,
    readonly label: string,
    private readonly member: TarMember,
    private readonly spool: (source: ByteSource) => Promise<SizedSource>,
  ) {
    this.size = member.size;
    this.range = new RangeSource(whole, label, member.start, member.size);
  }

  async open(start = 0): Promise<ByteReader> {
    const { size, member, whole, label } = this;
    const { head = NOTHING, tail = NOTHING } = member.ends ?? {};
    if (start >= size - tail.length) return new MemorySource(tail).open(start - (size - tail.length));
    if (this.copy === null && start === 0) {
      const rest = new RangeSource(whole, label, member.start + head.length, size - head.length);
      return openAfter(head, rest);
    }
    this.copy ??= this.spool(this.range);
    return (await this.copy).open(start);
  }
}

const NOTHING = Buffer.alloc(0);

/** Reads what is in memory, and opens the rest only for who reads on. */
async function openAfter(head: Buffer, rest: SizedSource): Promise<ByteReader> {
  const first = await new MemorySource(head).open();
  let further: ByteReader | null = null;
  let closed = false;
  return {
    read: async (into) => {
      const count = further === null ? await first.read(into) : 0;
      if (count > 0 || closed || rest.size === 0) return count;
      further ??= await rest.open();
      return further.read(into);
    },
    close: async () => {
      closed = true;
      await further?.close();
    },
  };
}

/** The files of an archive as a tree whose paths are `ARCHIVE:/NAME`. */
export class TarTree implements FileTree {
  /** Base names by directory, '' being the top. */
  private readonly directories = new Map<string, Set<string>>([['', new Set()]]);

  constructor(
    private readonly source: ByteSource,
    private readonly index: TarIndex,
    /** Copies a member where all of it is at hand; asked for when the archive is packed. */
    private readonly spool: ((source: ByteSource) => Promise<SizedSource>) | null = null,
  ) {
    for (const name of index.members.keys()) {
      const parts = name.split('/');
      for (let depth = 0; depth < parts.length; depth++) {
        const directory = parts.slice(0, depth).join('/');
        const inside = this.directories.get(directory) ?? new Set();
        inside.add(parts[depth]!);
        this.directories.set(directory, inside);
      }
    }
  }

  /** The path of the directory that holds all the files: directories that hold nothing but one directory are passed. */
  get root(): string {
    let at = '';
    for (;;) {
      const names = [...this.directories.get(at)!];
      const only = at === '' ? names[0]! : `${at}/${names[0]}`;
      if (names.length !== 1 || !this.directories.has(only)) return this.pathOf(at);
      at = only;
    }
  }

  list(directory: string): Promise<string[]> {
    const names = this.directories.get(this.nameOf(directory));
    return Promise.resolve(names === undefined ? [] : [...names].sort());
  }

  look(path: string): ReturnType<FileTree['look']> {
    const name = this.nameOf(path);
    const member = this.index.members.get(name);
    if (member !== undefined) return Promise.resolve({ kind: 'file', size: member.size });
    return Promise.resolve(this.directories.has(name) ? { kind: 'directory', size: 0 } : null);
  }

  open(path: string): Promise<SizedSource> {
    const member = this.index.members.get(this.nameOf(path));
    if (member === undefined) {
      return Promise.reject(new InputError('input/missing', path, 'no such file in the archive'));
    }
    const { source, spool } = this;
    if (spool !== null) return Promise.resolve(new PackedMember(source, path, member, spool));
    return Promise.resolve(new RangeSource(source, path, member.start, member.size));
  }

  parent(directory: string): string {
    return this.pathOf(this.nameOf(directory).replace(/(^|\/)[^/]*$/, ''));
  }

  /** The path of a file or directory by its name in the archive. */
  pathOf(name: string): string {
    return `${this.source.label}:/${name.replace(/^\/+|\/+$/g, '')}`;
  }

  /** Says better why there is no dataset in a directory of the archive: where there are some, or what was left out. */
  notIn(directory: string, error: InputError): InputError {
    const places = this.places().filter((place) => place !== directory);
    const [first] = this.index.skipped.filter(({ name }) => DATA_NAME.test(name));
    if (places.length === 0 && first === undefined) return error;
    const { code, path, message, hint } = error;
    const left =
      first === undefined ? hint : `${first.name} was left out: ${first.why}; unpack the archive yourself`;
    const listed = places.slice(0, 5).join(' or ');
    return new InputError(
      code,
      path,
      message,
      places.length === 0 ? left : `name one of its directories: ${listed}`,
    );
  }

  /** Directories with files of a dataset in them. */
  private places(): string[] {
    const found = new Set<string>();
    for (const name of this.index.members.keys()) {
      if (!DATA_NAME.test(name)) continue;
      found.add(this.pathOf(name.replace(/(^|\/)(appendonlydir\/)?[^/]*$/, '')));
    }
    return [...found].sort();
  }

  private nameOf(path: string): string {
    return path.slice(this.source.label.length + 1).replace(/^\/+|\/+$/g, '');
  }
}
