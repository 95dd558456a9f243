const show = ({ median, p10, p90 }) => `${median.toFixed(1)} (${p10.toFixed(1)}-${p90.toFixed(1)})`;

/** A Markdown table, and the notes below it. */
export function markdown(header, lines, notes) {
  const rule = header.map(() => '---');
  const table = [header, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`);
  return ['', ...table, ...notes.map((note) => `note: ${note}`)].join('\n');
}

/** A result as a Markdown table: median (p10-p90) of each side, and side / subject. */
export function toTable({ title, subject, notes, rows }) {
  const sides = [...new Set(rows.flatMap(({ times }) => Object.keys(times)))];
  const others = sides.filter((side) => side !== subject);
  const lines = rows.map(({ case: name, times }) => {
    const ratios = others.map((side) =>
      side in times ? `${(times[side].median / times[subject].median).toFixed(2)}x` : '-',
    );
    return [name, ...sides.map((side) => (side in times ? show(times[side]) : '-')), ...ratios];
  });
  const header = [title, ...sides, ...others.map((side) => `${side} / ${subject}`)];
  return markdown(header, lines, notes);
}
