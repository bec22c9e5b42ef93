function lines(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
    )
    .join('\n');
}

const seconds = (side) => (side === undefined ? '-' : side.seconds.toFixed(2));
const processor = (side) => side?.cpuSeconds?.toFixed(2) ?? '-';
const megabytes = (bytes) => (bytes === null || bytes === undefined ? '-' : (bytes / 1e6).toFixed(0));

/** Ours beside theirs; speed above 1 means that ours took less time. */
export function pairTable({ jobs, machine, runs }) {
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
    job.program,
  ]);
  return `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; medians of ${runs}\n${lines([head, ...rows])}\n`;
}

/** One line a kernel. */
export function kernelTable(kernels) {
  const rows = kernels.map(({ name, rate, unit }) => [
    name,
    rate >= 100 ? rate.toFixed(0) : rate.toFixed(1),
    unit,
  ]);
  return lines([['kernel', 'rate', ''], ...rows]);
}
