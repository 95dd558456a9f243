import { describe, expect, it } from 'vitest';
import type { Board, Panel } from '../board.js';
import { boardPicture } from './board-picture.js';
import { formatValue } from './format-value.js';

const panel = (changes: Partial<Panel>): Panel => ({
  title: 'Loss < 1',
  help: '',
  kind: 'lines',
  unit: 'none',
  width: 12,
  queries: [],
  ...changes,
});

const boardOf = (...panels: Panel[]): Board => ({
  uid: 'b',
  title: 'Board',
  description: '',
  variables: [],
  marksGenerations: false,
  rows: [{ title: 'Row', panels }],
});

describe('values', () => {
  it('have units that fit an axis', () => {
    expect(formatValue(0.25, 'percentunit')).toBe('25 %');
    expect(formatValue(0.0123, 's')).toBe('12.3 ms');
    expect(formatValue(90, 's')).toBe('90 s');
    expect(formatValue(12_345_678, 'Bps')).toBe('12.3 MB/s');
    expect(formatValue(3 * 1024 ** 3, 'bytes')).toBe('3 GiB');
    expect(formatValue(0, 'bytes')).toBe('0 B');
    expect(formatValue(1_234, 'short')).toBe('1.23 k');
    expect(formatValue(-1, 'none')).toBe('-1');
  });
});

describe('the picture of a board', () => {
  const lines = [
    { legend: 'a', points: [[10, 1] as const, [20, 3] as const] },
    { legend: 'b', points: [[10, 2] as const, [20, 1] as const] },
  ];
  const data = { from: 10, to: 20, lines };

  const pointsOf = (svg: string): string[] =>
    [...svg.matchAll(/<polyline points="([^"]*)"/g)].map(([, points]) => points!);

  it('has a line for each series, from one border to the other', () => {
    const svg = boardPicture(boardOf(panel({})), () => data);
    expect(svg).toContain('Loss &lt; 1');
    const [first] = pointsOf(svg);
    const [[x0, y0], [x1, y1]] = first!.split(' ').map((point) => point.split(',').map(Number)) as [
      [number, number],
      [number, number],
    ];
    expect(x0).toBe(62);
    expect(x1).toBe(12 * 46 - 8 - 12);
    expect(y1).toBeLessThan(y0);
    expect(pointsOf(svg)).toHaveLength(2);
  });

  it('stacks what is to be stacked', () => {
    const svg = boardPicture(boardOf(panel({ kind: 'stacked' })), () => data);
    const heights = pointsOf(svg).map((points) => Number(points.split(' ')[1]!.split(',')[1]));
    // The second line ends at 3 + 1, above the first.
    expect(heights[1]).toBeLessThan(heights[0]!);
  });

  it('shows the last value of a number in the color of its threshold', () => {
    const thresholds = [{ from: 0.5, color: 'red' as const }];
    const number = panel({ kind: 'number', unit: 'short', thresholds });
    const svg = boardPicture(boardOf(number), () => ({ ...data, lines: lines.slice(0, 1) }));
    expect(svg).toMatch(/fill="#f2495c"[^>]*>3</);
    const empty = boardPicture(boardOf(number), () => ({ ...data, lines: [] }));
    expect(empty).toContain('no data');
  });
});
