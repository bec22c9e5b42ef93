/** One line per file and kind of damage. */
export function salvageTable(rows) {
  const head = [
    'file',
    'damage',
    'places',
    'untouched',
    'back %',
    'worst',
    'invented',
    'doubtful',
    'db guessed',
    'ms',
  ];
  const lines = rows.map((row) => [
    `redis-${row.version}`,
    row.kind,
    String(row.positions),
    String(row.untouched),
    ((100 * row.back) / row.untouched).toFixed(4),
    String(row.worstLost),
    String(row.invented),
    (row.doubtful / row.positions).toFixed(1),
    (row.guessed / row.positions).toFixed(0),
    (row.ms / row.positions).toFixed(0),
  ]);
  const all = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...all.map((line) => line[column].length)));
  const text = (line) =>
    line.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  return `${all.map(text).join('\n')}\n`;
}
