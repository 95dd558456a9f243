import type { Board, Panel } from '../board.js';
import { panelPicture, type PanelData } from './panel-picture.js';

const COLUMNS = 24;
const COLUMN_WIDTH = 46;
const GAP = 8;
const ROW_TITLE_HEIGHT = 26;
/** In pixels, by the kind of panel. */
const HEIGHTS = { number: 96, lines: 230, stacked: 230 } as const;

/**
 * A dashboard as an SVG picture in Grafana's arrangement, for pages that explain it.
 * @param dataOf what a panel shows
 */
export function boardPicture(board: Board, dataOf: (panel: Panel) => PanelData): string {
  const parts: string[] = [];
  let top = GAP;
  for (const { title, panels } of board.rows) {
    parts.push(`<text x="${GAP}" y="${top + 16}" fill="#ccccdc" font-size="14">${title}</text>`);
    top += ROW_TITLE_HEIGHT;
    let column = 0;
    let height = 0;
    for (const panel of panels) {
      if (column + panel.width > COLUMNS) {
        top += height + GAP;
        column = 0;
        height = 0;
      }
      const box = {
        x: GAP + column * COLUMN_WIDTH,
        y: top,
        width: panel.width * COLUMN_WIDTH - GAP,
        height: HEIGHTS[panel.kind],
      };
      parts.push(panelPicture(panel, dataOf(panel), box));
      column += panel.width;
      height = Math.max(height, box.height);
    }
    top += height + GAP;
  }
  const width = COLUMNS * COLUMN_WIDTH + GAP;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" ` +
      `font-family="Inter, Helvetica, Arial, sans-serif">`,
    `<rect width="${width}" height="${top}" fill="#111217"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}
