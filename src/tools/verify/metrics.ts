import { isUtf8 } from 'node:buffer';
import type { Disk } from '../../bytes/disk.js';
import { FileTarget } from '../../bytes/target.js';
import type { SourceVerdict } from './verdict.js';

/** A metric: name without the prefix, its help, and a value for each source that has one. */
interface Metric {
  readonly name: string;
  readonly help: string;
  samples(verdict: SourceVerdict): readonly Sample[];
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const PREFIX = 'rekindle_verify_';

const one = (value: number | null | undefined): readonly Sample[] =>
  value === null || value === undefined ? [] : [{ labels: {}, value }];

const seconds = (ms: number | null | undefined): number | null =>
  ms === null || ms === undefined ? null : ms / 1000;

const METRICS: readonly Metric[] = [
  {
    name: 'ok',
    help: 'Whether the last run verified the backup (1) or not (0).',
    samples: ({ ok }) => one(ok ? 1 : 0),
  },
  {
    name: 'last_run_timestamp_seconds',
    help: 'When the last run was, in unix time.',
    samples: ({ atMs }) => one(seconds(atMs)),
  },
  {
    name: 'last_success_timestamp_seconds',
    help: 'When a run last verified the backup, in unix time; missing when none is known.',
    samples: ({ lastGoodMs }) => one(seconds(lastGoodMs)),
  },
  {
    name: 'duration_seconds',
    help: 'How long the last run took.',
    samples: ({ durationMs }) => one(seconds(durationMs)),
  },
  {
    name: 'backup_timestamp_seconds',
    help: 'When the backup was made, in unix time.',
    samples: ({ facts }) => one(seconds(facts?.savedAtMs)),
  },
  { name: 'backup_size_bytes', help: 'Bytes of the backup.', samples: ({ facts }) => one(facts?.bytes) },
  { name: 'keys', help: 'Keys in the backup.', samples: ({ facts }) => one(facts?.keys) },
  {
    name: 'expired_keys',
    help: 'Keys in the backup that are past their TTL.',
    samples: ({ facts }) => one(facts?.expired),
  },
  {
    name: 'findings',
    help: 'What is wrong in the files, by severity.',
    samples: ({ errors, warnings, check }) =>
      check === null
        ? []
        : [
            { labels: { severity: 'error' }, value: errors },
            { labels: { severity: 'warning' }, value: warnings },
          ],
  },
  {
    name: 'rule_ok',
    help: 'Whether a rule holds (1) or not (0).',
    samples: ({ rules }) =>
      rules.map(({ name, of, ok }) => ({
        // The prefix that shrank most is another every night: it would begin a new series each time.
        labels: { rule: name, ...(name === 'require' ? { of } : {}) },
        value: ok ? 1 : 0,
      })),
  },
];

/** The verdicts in the text format of Prometheus, for the textfile collector. */
export function prometheusText(
  verdicts: readonly SourceVerdict[],
  show: (latin1: string) => string = shownBytes,
): string {
  const lines: string[] = [];
  for (const { name, help, samples } of METRICS) {
    const told = verdicts.flatMap((verdict) =>
      samples(verdict).map(({ labels, value }) => {
        const { of } = labels;
        const all = { source: verdict.name, ...labels, ...(of === undefined ? {} : { of: show(of) }) };
        return `${PREFIX}${name}{${labelText(all)}} ${value}`;
      }),
    );
    if (told.length === 0) continue;
    // A rule with the same text twice would be two samples of one name.
    lines.push(`# HELP ${PREFIX}${name} ${help}`, `# TYPE ${PREFIX}${name} gauge`, ...new Set(told));
  }
  return `${lines.join('\n')}\n`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`)
    .join(',');
}

/** Bytes as text where they are that: a label must be valid UTF-8. */
function shownBytes(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1');
  if (isUtf8(bytes)) return bytes.toString('utf8');
  return latin1.replace(/[^\x20-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Writes the metrics, whole or not at all, readable for who collects them. @throws OutputError UsageError */
export async function writeMetrics(path: string, text: string, disk: Disk): Promise<void> {
  const target = await FileTarget.create(path, { force: true, disk, mode: 0o644 });
  try {
    target.write(Buffer.from(text));
    await target.publish();
  } finally {
    await target.discard();
  }
}
