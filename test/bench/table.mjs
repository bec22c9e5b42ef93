import { goalCell } from './goals.mjs';

function lines(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
    )
    .join('\n');
}

/** The same as a table of Markdown: the first column to the left, the others to the right. */
function markdown([head, ...rows]) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'));
  return [head, rule, ...rows].map(line).join('\n');
}

const layoutOf = (form) => (form === 'markdown' ? markdown : lines);

const seconds = (side) => (side === undefined ? '-' : side.seconds.toFixed(2));
const processor = (side) => side?.cpuSeconds?.toFixed(2) ?? '-';
const megabytes = (bytes) => (bytes === null || bytes === undefined ? '-' : (bytes / 1e6).toFixed(0));
const percent = (share) => `${(100 * share).toFixed(0)} %`;

const machineLine = ({ cpu, cores, node }) => `${cpu}, ${cores} cores, Node ${node}`;

/** Ours beside theirs; speed above 1 means that ours took less time. `form`: `text` or `markdown`. */
export function pairTable({ jobs, machine, runs }, form = 'text') {
  const head = [
    'job',
    'input MB',
    'ours s',
    'cpu s',
    'MB/s',
    'peak MB',
    'theirs s',
    'cpu s',
    'peak MB',
    'speed',
    'theirs is',
    'goal',
  ];
  const rows = jobs.map((job) => [
    job.job,
    megabytes(job.inputBytes),
    seconds(job.ours),
    processor(job.ours),
    (job.inputBytes / 1e6 / job.ours.seconds).toFixed(0),
    megabytes(job.ours.peakBytes),
    seconds(job.theirs),
    processor(job.theirs),
    megabytes(job.theirs?.peakBytes),
    job.speed === undefined ? '-' : `${job.speed.toFixed(2)}x`,
    job.program ?? '-',
    goalCell(job.goal),
  ]);
  const break_ = form === 'markdown' ? '\n\n' : '\n';
  return `${machineLine(machine)}; medians of ${runs}${break_}${layoutOf(form)([head, ...rows])}\n`;
}

/** How much longer our start takes than that of a Node.js that does nothing. */
export function startLine({ pairs, oursMs, theirsMs, extraMs, goal }) {
  const [ours, theirs, extra] = [oursMs, theirsMs, extraMs].map((ms) => ms.toFixed(0));
  return `start: ${ours} ms beside ${theirs} ms of node -e 0: ${extra} ms more, median of ${pairs} pairs (${goalCell(goal)})\n`;
}

const milliseconds = (seconds) => `${seconds < 0 ? '-' : '+'}${(1000 * Math.abs(seconds)).toFixed(0)} ms`;

/** How far from the line: `12 % (+31 ms)`, with an exclamation mark where that is too far. */
function missCell(miss, within) {
  if (miss === null) return '';
  return `${percent(miss.share)} (${milliseconds(miss.seconds)})${within ? '' : ' (!)'}`;
}

/** What the memory of a job was held to, and what came out where that is not it. */
function memoryCell(memory) {
  if (memory === null) return '';
  const { promise, asked, got, kept } = memory;
  if (promise === 'flat') return kept ? 'flat' : `flat (!): ${percent(got)} more`;
  return `${asked} B a key${kept ? '' : ' (!)'}: ${got.toFixed(1)}`;
}

/** How cost grows with the input: one line for each size of each job. */
export function growthTable({ growth, machine, runs }, form = 'text') {
  const head =
    'job,input MB,s,cpu s,kernel s,MB/s,cpu ns a byte,peak MB,memory,cpu from the line,without the kernel,wall from the line'.split(
      ',',
    );
  const rows = growth.flatMap(({ job, rows, memory, ...judged }) =>
    rows.map((row, index) => {
      const last = index === rows.length - 1;
      return [
        index === 0 ? job : '',
        megabytes(row.inputBytes),
        row.seconds.toFixed(2),
        processor(row),
        row.kernelSeconds?.toFixed(2) ?? '-',
        (row.inputBytes / 1e6 / row.seconds).toFixed(0),
        row.cpuNsPerByte.toFixed(2),
        megabytes(row.peakBytes),
        last ? memoryCell(memory) : '',
        last ? missCell(judged.worst, judged.linear) : '',
        last ? missCell(judged.worstOwn, judged.linearOwn) : '',
        last ? missCell(judged.worstWall, judged.linearWall) : '',
      ];
    }),
  );
  const break_ = form === 'markdown' ? '\n\n' : '\n';
  return `${machineLine(machine)}; best of ${runs}${break_}${layoutOf(form)([head, ...rows])}\n`;
}

/** One line a kernel. */
export function kernelTable(kernels, form = 'text') {
  const rows = kernels.map(({ name, rate, unit }) => [
    name,
    rate >= 100 ? rate.toFixed(0) : rate.toFixed(1),
    unit,
  ]);
  return layoutOf(form)([['kernel', 'rate', ''], ...rows]);
}
