/** Custom properties that a chart draws with: it cannot take them from a style sheet by itself. */
const NUM_COLORS = 8;

export interface Palette {
  readonly lines: readonly string[];
  readonly axis: string;
  readonly grid: string;
  readonly fault: string;
  readonly generation: string;
}

/** The colours of the theme that is shown now. */
export function currentPalette(): Palette {
  // A colour given by light-dark() is resolved only where it is used.
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  const resolved = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const palette = {
    lines: Array.from({ length: NUM_COLORS }, (_, index) => resolved(`line-${index}`)),
    axis: resolved('text-soft'),
    grid: resolved('grid'),
    fault: resolved('bad'),
    generation: resolved('text-faint'),
  };
  probe.remove();
  return palette;
}

/** The same colour for a style sheet. */
export function lineColor(index: number): string {
  return `var(--line-${index % NUM_COLORS})`;
}
