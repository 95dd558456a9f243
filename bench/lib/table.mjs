const show = ({ median, p10, p90 }) => `${median.toFixed(1)} (${p10.toFixed(1)}-${p90.toFixed(1)})`;

/** A Markdown table, and the notes below it. */
export function markdown(header, lines, notes) {
  const rule = header.map(() => '---');
  const table = [header, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`);
  return ['', ...table, ...notes.map((note) => `note: ${note}`)].join('\n');
}

/** A result as a Markdown table: median (p10-p90) of each side, and baseline / subject. */
export function toTable({ title, subject, baseline, notes, rows }) {
  const sides = Object.keys(rows[0].times);
  const lines = rows.map(({ case: name, times }) => {
    const ratio = times[baseline].median / times[subject].median;
    return [name, ...sides.map((side) => show(times[side])), `${ratio.toFixed(2)}x`];
  });
  return markdown([title, ...sides, `${baseline} / ${subject}`], lines, notes);
}
