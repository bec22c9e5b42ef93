import type { FindingCode } from '../../model/finding.js';

interface Words {
  /** What was expected, so that the facts after it say what stood there. */
  readonly says: string;
  /** The next thing to try. */
  readonly hint: string;
  /** The same when nobody knows where the log could be cut, which `{cut}` stands for. */
  readonly hintWithoutCut?: string;
  /** The same where nothing else is told; `{rescue}` stands for what RESCUES has for the packing. */
  readonly hintAlone?: string;
}

/** How to get at what stands before the place where a packed file ends, by its packing. */
export const RESCUES: Readonly<Record<string, string>> = {
  gzip: rescueBy('gzip -dc'),
  zstd: rescueBy('zstd -dc'),
  lz4: rescueBy('lz4 -dc'),
  tar: '; if there is no other copy, `tar -xf SOURCE` takes out the files that stand before that',
};

function rescueBy(unpack: string): string {
  return `; if there is no other copy, \`${unpack} SOURCE | rekindle repair - --out FILE\` saves what comes out of it`;
}

const RESTORE_RDB =
  'restore this file from a backup or a replica, or let `rekindle repair SOURCE --out FILE` save every key that still reads';
const RDB_VALUE =
  'the bytes of this value are damaged: restore the file from a backup or a replica, take the AOF if there is one, or let `rekindle repair SOURCE --out FILE` save all other keys';
const CUT_AOF = {
  hint: '`rekindle repair SOURCE` says what it costs to cut the log at {cut}, and with `--strategy skip` to drop the damage alone and keep what follows',
  hintWithoutCut: '`rekindle repair SOURCE` says what each way out costs; keep the original',
};
const MANIFEST =
  'compare it with the files in the directory; a manifest lists one base (type b) and its increments (type i) in order';

/** The words for every finding: the only place that has them. */
export const WORDS: Readonly<Record<FindingCode, Words>> = {
  'input/item-too-large': {
    says: 'one item of the file is larger than memory can hold in one piece',
    hint: 'run it on a machine with more memory; if no value of that size was ever written, its length is damaged',
  },
  'packed/truncated': {
    says: 'the compressed file ends in the middle; the offset counts plain bytes up to there',
    hint: 'copy it again and compare sizes; what was unpacked before it is told all the same',
    hintAlone: 'copy it again and compare sizes{rescue}',
  },
  'packed/corrupt': {
    says: 'the compressed bytes are no valid stream of their format; the offset counts plain bytes up to there',
    hint: 'restore it from another copy: nothing behind the damage can be unpacked',
  },
  'packed/checksum-mismatch': {
    says: 'the checksum of the compressed file does not match what was unpacked; the offset counts plain bytes',
    hint: 'restore it from another copy: a byte of it changed after it was compressed',
  },
  'packed/unsupported': {
    says: 'the file is compressed in a way that is not read here',
    hint: 'unpack it with the program it was made with, and give the result, or pipe it into `rekindle … -`',
  },
  'packed/trailing-bytes': {
    says: 'bytes follow the end of the compressed data that are no further part of it',
    hint: 'if another part should follow, its start is damaged: compare with another copy; else cut the rest off',
  },
  'rdb/bad-magic': {
    says: 'an RDB starts with REDIS and four digits or VALKEY and three, these bytes do not',
    hint: 'make sure this is the right file, and not encrypted; if only its start is damaged, `rekindle repair SOURCE --out FILE` saves every key that still reads',
  },
  'rdb/bad-version': {
    says: 'the version after the magic must be a decimal number',
    hint: RESTORE_RDB,
  },
  'rdb/unsupported-version': {
    says: 'this version of the format is not one that rekindle knows',
    hint: 'a newer rekindle may know it; if the file was written by another product, name it with --dialect',
  },
  'rdb/truncated': {
    says: 'the file ends in the middle of an item',
    hint: `the file was cut short (disk full, interrupted copy): copy it again and compare sizes, else ${RESTORE_RDB}`,
  },
  'rdb/checksum-mismatch': {
    says: 'the CRC-64 at the end does not match the bytes before it, although all of them could be read',
    hint: 'some value, key or time was changed in place: compare with another copy or restore a backup before trusting it',
  },
  'rdb/unknown-opcode': {
    says: 'a record must start with an opcode or a type that this dialect and version know',
    hint: `if another product wrote the file, name it with --dialect; else ${RESTORE_RDB}`,
  },
  'rdb/unknown-type': {
    says: 'the type of a value must be one that this dialect and version know',
    hint: `if another product wrote the file, name it with --dialect; else ${RESTORE_RDB}`,
  },
  'rdb/bad-length': { says: 'a length must stand here in one of the known forms', hint: RESTORE_RDB },
  'rdb/length-overrun': {
    says: 'a length or count claims more bytes than the file has left',
    hint: `either the length is damaged or the file was cut short: compare its size with another copy; else ${RESTORE_RDB}`,
  },
  'rdb/bad-string-encoding': { says: 'a string must have one of the known encodings', hint: RDB_VALUE },
  'rdb/bad-lzf': { says: 'a compressed string does not decompress to the length it states', hint: RDB_VALUE },
  'rdb/bad-double': { says: 'a score must be a number', hint: RDB_VALUE },
  'rdb/bad-listpack': {
    says: 'a listpack must agree with its own header, counts and back links',
    hint: RDB_VALUE,
  },
  'rdb/bad-ziplist': {
    says: 'a ziplist must agree with its own header, counts and back links',
    hint: RDB_VALUE,
  },
  'rdb/bad-intset': { says: 'an intset must hold sorted, unique integers and nothing else', hint: RDB_VALUE },
  'rdb/bad-zipmap': { says: 'a zipmap must agree with its own lengths', hint: RDB_VALUE },
  'rdb/bad-quicklist': { says: 'a quicklist node must be of a known kind and not empty', hint: RDB_VALUE },
  'rdb/bad-stream': {
    says: 'a stream must agree with its own entries, counters and groups',
    hint: RDB_VALUE,
  },
  'rdb/bad-module': {
    says: 'a module value must be a sequence of typed items that ends with its end mark',
    hint: RDB_VALUE,
  },
  'rdb/bad-array': {
    says: 'an array holds elements by ascending index, each with its kind',
    hint: RDB_VALUE,
  },
  'rdb/bad-vector-set': {
    says: 'a vector set must have elements and vectors of the size that it says',
    hint: RDB_VALUE,
  },
  'rdb/bad-template': {
    says: 'a hash made from a template must name one that the file defines, and have a value for each of its fields',
    hint: RDB_VALUE,
  },
  'rdb/bad-metadata': {
    says: 'what modules attach to a key must be a few sequences of typed items, each with its end mark',
    hint: RDB_VALUE,
  },
  'rdb/bad-function': {
    says: 'a function library must start with a line like #!lua name=mylib',
    hint: RDB_VALUE,
  },
  'rdb/bad-field-expiry': { says: 'the expiry of a hash field is out of range', hint: RDB_VALUE },
  'rdb/duplicate-member': {
    says: 'a member or field may stand in a collection only once; servers refuse to load such a value',
    hint: RDB_VALUE,
  },
  'rdb/implausible-record': {
    says: 'what stands here has the form of a record and is none that a server writes',
    hint: `a part of the file was overwritten: repair saves what stands around it, or ${RESTORE_RDB}`,
  },
  'rdb/duplicate-key': {
    says: 'a key may stand in a database only once; servers abort when they load it a second time',
    hint: '`rekindle repair SOURCE` keeps the first of the two and lists the other; compare both with `rekindle digest --per-key` of a backup',
  },
  'rdb/odd-expiry': {
    says: 'a key must expire at a time that makes sense; servers take this one as it is and drop the key, or never do',
    hint: 'seconds taken for milliseconds look like this, and so does damage: compare the key with another copy',
  },
  'rdb/odd-module-value': {
    says: 'a value of a module must have the fields that this module writes; a server with the module is likely to refuse it',
    hint: 'load the file in a server with the module before you rely on it; a copy of the key may be in a backup or a replica',
  },
  'rdb/count-differs': {
    says: 'the number of keys announced differs from those that came; servers only size their tables by it',
    hint: 'keys were lost or added after the file was saved, or a tool wrote it: compare its keys with another copy',
  },
  'rdb/unsorted-members': {
    says: 'members of one score must stand in the order of their bytes; servers load this unseen, and ranks and ranges come out wrong',
    hint: 'the bytes of this value were changed, or a tool wrote it: take the key from another copy, or remove and add its members',
  },
  'rdb/odd-stream': {
    says: 'ids and counters of a stream must agree with its entries; servers load them unseen',
    hint: 'XSETID puts them right once the file is loaded; compare the key with another copy before',
  },
  'rdb/empty-node': {
    says: 'a node of a list holds no element; servers leave it out',
    hint: 'nothing is lost by it, though no server writes such a node: find out what wrote or changed the file',
  },
  'rdb/doubtful-records': {
    says: 'whole records stand behind a damage that may as well be the content of a value',
    hint: 'they are not counted; `rekindle repair SOURCE --doubtful` keeps them',
  },
  'rdb/bad-blob': {
    says: 'a compressed part of the file must be one whole frame of its format',
    hint: RESTORE_RDB,
  },
  'rdb/bad-chunk': {
    says: 'a part of a split record must have a number and a size, and all parts of a number make one whole record',
    hint: RESTORE_RDB,
  },
  'rdb/journal-entries': {
    says: 'the snapshot holds changes made while it was taken, as commands that are not applied here',
    hint: 'keys may be in a state from before them: take a snapshot while nothing is written, or with save_mode rdb',
  },
  'rdb/empty-value': {
    says: 'a collection without elements stands here; servers skip such keys when they load since 6.2',
    hint: 'nothing is lost by it; a current server that loads and saves the file leaves such keys out',
  },
  'rdb/trailing-bytes': {
    says: 'bytes follow the end of the RDB; no server reads them',
    hint: 'look at them: a copy that was not truncated leaves such a rest, and so does a concatenation',
  },
  'aof/bad-prefix': { says: 'a command must start with * and each argument with $', ...CUT_AOF },
  'aof/bad-argument-count': {
    says: 'the number of arguments after * must be a whole number from 1 on',
    ...CUT_AOF,
  },
  'aof/bad-bulk-length': {
    says: 'the length of an argument after $ must be a whole number that the file can hold',
    ...CUT_AOF,
  },
  'aof/bad-line-end': { says: 'a line or argument must end with CR LF', ...CUT_AOF },
  'aof/annotation-too-long': {
    says: 'an annotation must be shorter than 1024 bytes; a server reads the rest of it as commands and stops',
    ...CUT_AOF,
  },
  'aof/bad-annotation': {
    says: 'a time annotation must be #TS: and unix seconds; servers skip this one, a cut by time cannot see it',
    hint: 'nothing is lost by it when everything is replayed; cut by offset or command rather than by time near here',
  },
  'aof/torn-annotation': {
    says: 'the last annotation has no line end; what a server appends next would join it and be lost',
    ...CUT_AOF,
  },
  'aof/loose-framing': {
    says: 'a line must end with CR LF and a number be plain digits; servers load this, redis-check-aof refuses it',
    hint: 'the commands are read as a server reads them; find out what wrote the file, no server does',
  },
  'aof/block-checksum': {
    says: 'the records behind a #HDR line must have the checksum it states; servers of today load them unseen',
    hint: 'bytes of these records changed, or some before them were cut out: compare them with another copy of the log',
  },
  'aof/unknown-command': {
    says: 'a command must be one that is known: servers refuse to start from a log that holds another',
    hint: 'a module or a newer server may have brought it, or its name is damaged: `rekindle repair SOURCE --strategy skip` drops this record alone, `rekindle replay SOURCE --on-unknown skip` goes on without it and lists what was left out',
  },
  'aof/wrong-arity': {
    says: 'no release takes this command with so many arguments; servers crash on it or execute what happens to lie behind it',
    hint: 'arguments were lost or their number is damaged: `rekindle repair SOURCE --strategy skip` drops this record alone; what follows may build on it',
  },
  'aof/script-engine': {
    says: 'the log holds scripts as they were called, and the optional package that runs Lua cannot be used',
    hint: '`npm install wasmoon-lua5.1@1.18.10` (with -g where rekindle was installed so), or go on without what scripts did: `--on-unknown skip`',
  },
  'aof/unknown-script': {
    says: 'a script that is called by its SHA1 must have been called or loaded as text before',
    hint: 'the text is in no record before this one: look for it in the log that this one continues; `rekindle replay SOURCE --on-unknown skip` goes on without it',
  },
  'aof/script-command': {
    says: 'a script may only call commands whose reply is known here, and whose effect is not random',
    hint: 'load the log with a server of its own release to execute it; `rekindle replay SOURCE --on-unknown skip` goes on, with what the script did before that call',
  },
  'aof/script-limit': {
    says: 'a script must end within 200 million steps, 256 MiB of memory and a depth that a stack can hold',
    hint: 'servers wait for a script without an end, and so cannot load this log; `rekindle replay SOURCE --on-unknown skip` goes on, with what the script did before',
  },
  'aof/bad-select': {
    says: 'SELECT must name a database by its number; servers skip this one and put what follows into the database before it',
    hint: 'find out which database was meant before a server loads this: `rekindle replay SOURCE --until-offset {cut} --out DIR` rebuilds everything before it',
    hintWithoutCut: 'find out which database was meant before a server loads this log',
  },
  'aof/doubtful-records': {
    says: 'whole records stand behind a damage that may as well be the content of a value',
    hint: 'they are not counted; `rekindle repair SOURCE --strategy skip --doubtful` keeps them',
  },
  'aof/torn-tail': {
    says: 'the last file of the log ends in the middle of a command, as after a crash or a full disk',
    hint: 'a server with aof-load-truncated (the default) cuts this rest off and starts; `rekindle repair SOURCE --out PATH` does it without touching the original',
  },
  'aof/truncated': {
    says: 'a file that others follow ends in the middle of a command or transaction; servers refuse to start from it',
    ...CUT_AOF,
  },
  'aof/open-transaction': {
    says: 'MULTI has no EXEC: the commands after it were never applied',
    hint: 'cut the log at this MULTI, never after it: a server that appends behind an open MULTI loses what it appends',
  },
  'aof/nested-multi': { says: 'MULTI inside a transaction', ...CUT_AOF },
  'aof/discard-in-multi': {
    says: 'DISCARD inside a transaction is queued like any other command: servers crash at its EXEC, and without one they lose all that follows',
    ...CUT_AOF,
  },
  'aof/exec-without-multi': { says: 'EXEC without the MULTI that opens its transaction', ...CUT_AOF },
  'ndjson/bad-header': {
    says: 'NDJSON of a dataset starts with a line that says which version of it this is, and this is another or none',
    hint: 'give a file that `rekindle convert DUMP OUT.ndjson` wrote, with its first line',
  },
  'ndjson/bad-json': {
    says: 'this line is no JSON',
    hint: 'compare it with the lines around it: each must be one object, complete on one line',
  },
  'ndjson/bad-line': {
    says: 'this line does not describe a key as it should',
    hint: 'docs/ndjson.md has every property; `rekindle convert` shows how a key like it is written',
  },
  'ndjson/line-too-long': {
    says: 'a line is longer than can be read in one piece',
    hint: 'write the value on several lines, as `rekindle convert` does: "more": true at the end of each but the last',
  },
  'ndjson/not-utf8': {
    says: 'this line is not valid UTF-8',
    hint: 'bytes that are no text stand there in base64; an editor or a wrong encoding may have changed the file',
  },
  'ndjson/unfinished-value': {
    says: 'the file ends before the last line of a value',
    hint: 'copy the file again and compare sizes; its last lines are missing',
  },
  'manifest/bad-line': {
    says: 'a line must be `file NAME seq NUMBER type b|i|h`, with quotes closed and a line feed at the end',
    hint: MANIFEST,
  },
  'manifest/empty': { says: 'the manifest lists no file at all', hint: MANIFEST },
  'manifest/duplicate-base': { says: 'a manifest lists at most one base', hint: MANIFEST },
  'manifest/bad-order': {
    says: 'the sequence numbers of increments must rise from line to line',
    hint: MANIFEST,
  },
  'manifest/unknown-type': { says: 'the type must be b, i or h', hint: MANIFEST },
  'manifest/path-in-name': {
    says: 'a name must be that of a file in the same directory, without / or \\',
    hint: MANIFEST,
  },
  'manifest/line-too-long': {
    says: 'a line must be shorter than 1024 bytes and end with a line feed',
    hint: MANIFEST,
  },
  'set/missing-file': {
    says: 'the manifest names a file that is not in the directory; servers refuse to start',
    hint: 'look for it in backups and beside the directory; without it the log has a gap',
  },
  'set/mixed-snapshots': {
    says: 'the files of one snapshot must carry one snapshot id; Dragonfly refuses to load a mixture',
    hint: 'find the files that belong together: `rekindle info` tells the snapshot-id of each',
  },
  'set/empty-base': {
    says: 'the base is an RDB and has no byte; servers start as if it had held nothing',
    hint: 'do not start a server here, it would drop all keys but those of the increments: restore the base, or see what `rekindle recover` finds',
  },
  'set/sequence-gap': {
    says: 'the numbers of increments must follow each other; servers load the two without what stood between them',
    hint: 'look for the increment in backups; a rewrite raises the number by one and never leaves one out',
  },
  'set/stray-file': {
    says: 'a file of an append-only set stands in the directory, but the manifest does not name it; no server loads it',
    hint: 'a rewrite that was killed leaves such files; `rekindle check` them on their own before deleting them',
  },
  'set/no-manifest': {
    says: 'files of an append-only set stand here without a manifest; a server would start empty beside them',
    hint: 'do not start a server here: it would append to or replace these files; restore the manifest first',
  },
};
