const WIDTH = 960;
const ROW = 36;
const LABELS = 330;
const NOTES = 290;

const escape = (text) => text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);

/** Horizontal bars from 0, an SVG. `bars`: label, value, and a note behind the bar. */
export function barChart(title, bars) {
  const largest = Math.max(...bars.map(({ value }) => value));
  const rows = bars.map(({ label, value, note }, index) => {
    const y = 44 + index * ROW;
    const length = ((WIDTH - LABELS - NOTES) * value) / largest;
    return [
      `<text x="${LABELS - 10}" y="${y + 17}" text-anchor="end">${escape(label)}</text>`,
      `<rect x="${LABELS}" y="${y}" width="${length.toFixed(1)}" height="24" fill="#3b6ea5"/>`,
      `<text x="${(LABELS + length + 8).toFixed(1)}" y="${y + 17}">${escape(note)}</text>`,
    ].join('\n');
  });
  const height = 54 + bars.length * ROW;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}"`,
    `  font-family="sans-serif" font-size="13" fill="#222">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="10" y="24" font-size="15">${escape(title)}</text>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}
