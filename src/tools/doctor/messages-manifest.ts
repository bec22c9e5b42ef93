import { by, type MessageSeverity, type ServerMessage } from './message.js';
import { CARRY_OUT, LOOK_LOG, NO_DELETE, NO_EMPTY_START, WEIGH_ALL } from './remedies.js';

const MULTI = 'Redis 7.0 and later, Valkey';

const HARD: Pick<ServerMessage, 'severity' | 'risk' | 'data' | 'never' | 'remedies'> & {
  severity: MessageSeverity;
} = {
  severity: 'fatal',
  risk: 'at-risk',
  data: 'the files of the log are as they were; only the list of them is wrong, and it can be made again from the files',
  never: [
    'do not delete the manifest: without it the server takes the files for no log at all and starts EMPTY over them',
    NO_EMPTY_START,
  ],
  remedies: [
    LOOK_LOG,
    {
      why: 'write the directory anew, with a manifest made from its files',
      command: 'rekindle repair {log} --out {log}-repaired',
    },
    WEIGH_ALL,
  ],
};

const ENTRY = '{entryText}';

/** What servers from 7.0 on say of the manifest of an append-only directory, and of the directory. */
export const MANIFEST_MESSAGES: readonly ServerMessage[] = [
  {
    ...HARD,
    id: 'manifest/damaged',
    role: 'general',
    says: by(MULTI, '*** FATAL AOF MANIFEST FILE ERROR ***'),
    means:
      'the manifest of the append-only directory could not be read, and the server refuses to start. The lines that follow name the line and the reason: give them to doctor too.',
  },
  {
    ...HARD,
    id: 'manifest/context',
    severity: 'info',
    role: 'context',
    says: by(MULTI, 'Reading the manifest file, at line {#line}', ">>> '{entry}'"),
    means: 'says which line of the manifest the server could not take; the line after it says why.',
  },
  {
    ...HARD,
    id: 'manifest/empty',
    says: by(MULTI, 'Found an empty AOF manifest'),
    means:
      'the manifest is there and holds nothing: as after a crash or a full disk on a file system that loses renames, or a copy that did not finish.',
  },
  {
    ...HARD,
    id: 'manifest/too-long-line',
    says: by(MULTI, 'The AOF manifest file contains too long line'),
    means: `a line of the manifest${ENTRY} has no line feed within 1,024 bytes. Most often the last line lacks its line feed, because somebody edited the file or a copy was cut off.`,
  },
  {
    ...HARD,
    id: 'manifest/format',
    says: by(MULTI, 'Invalid AOF manifest file format'),
    means: `a line of the manifest${ENTRY} is not of the form \`file NAME seq N type b|i|h\`: it is blank, cut off, or was edited.`,
  },
  {
    ...HARD,
    id: 'manifest/path',
    says: by(MULTI, "File can't be a path, just a filename"),
    means: `a line of the manifest${ENTRY} names a path. Only names of files in the same directory may stand there.`,
  },
  {
    ...HARD,
    id: 'manifest/two-bases',
    says: by(MULTI, 'Found duplicate base file information'),
    means: `the manifest names a second base${ENTRY}: two manifests were joined, or it was edited. The server cannot know which base the increments belong to.`,
  },
  {
    ...HARD,
    id: 'manifest/order',
    says: by(MULTI, 'Found a non-monotonic sequence number'),
    means: `the increments in the manifest${ENTRY} are not in the order of their numbers: it was edited, or two were joined.`,
  },
  {
    ...HARD,
    id: 'manifest/type',
    says: by(MULTI, 'Unknown AOF file type'),
    means: `a line of the manifest${ENTRY} has a type that is neither b (base) nor i (increment) nor h (history).`,
  },
  {
    ...HARD,
    id: 'manifest/unreadable',
    says: by(
      MULTI,
      'Read AOF manifest failed',
      "Fatal error: can't open the AOF manifest file {file} for reading: {error}",
      "Can't open the AOF manifest file {file}: {error}",
    ),
    means: 'the server could not read the manifest {file|of its log}: {error|the disk or the permissions}.',
    remedies: [
      { why: 'see who owns what', command: 'ls -ln {dir}/appendonlydir' },
      { why: 'give it to the user the server runs as', command: 'chown -R redis:redis {dir}/appendonlydir' },
      LOOK_LOG,
    ],
  },
  {
    ...HARD,
    id: 'manifest/not-there',
    severity: 'warning',
    says: by(MULTI, "The AOF manifest file {file} doesn't exist", "The AOF directory {file} doesn't exist"),
    means:
      'the server has `appendonly yes` and found no {file}: it takes that for a server that never had a log and starts EMPTY, even if files of a log or a dump.rdb lie there.',
    data: 'whatever lies in the directory is in danger from this start on: the new log takes names of the old one, and the next save replaces dump.rdb',
    never: [
      'do not stop this server with SHUTDOWN or SIGTERM before the directory has been copied away (`SHUTDOWN NOSAVE` does not save)',
      NO_DELETE,
    ],
    remedies: [
      { why: 'copy everything away at once', command: 'cp -a {dir} {dir}.saved' },
      { ...WEIGH_ALL, command: 'rekindle recover {dir}.saved' },
      { ...CARRY_OUT, command: 'rekindle recover {dir}.saved --out {dir}-recovered' },
    ],
  },
  {
    ...HARD,
    id: 'manifest/directory',
    says: by(MULTI, "Can't open or create append-only dir {file}: {error}"),
    means:
      'the server could not make or open its append-only directory {file}: {error}. The directory above belongs to another user, is read-only, or a file of that name stands there.',
    data: 'nothing was changed',
    never: [NO_EMPTY_START],
    remedies: [
      { why: 'see who owns what', command: 'ls -ln {dir}' },
      { why: 'give it to the user the server runs as', command: 'chown redis:redis {dir}' },
    ],
  },
];
