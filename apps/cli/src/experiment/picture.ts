import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Pixels of the picture for each of the drawing: sharp on dense screens. */
const ZOOM = 2;
const FAMILY = 'DejaVu Sans';
const FONTS = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'];

/**
 * An SVG as a PNG file. Its text is in fonts that come along, not in the machine's: the same picture
 * everywhere, also where there is no font at all.
 */
export async function pngOf(svg: string): Promise<Buffer> {
  // Native code, which only this command needs.
  const { renderAsync } = await import('@resvg/resvg-js');
  const { resolve } = createRequire(import.meta.url);
  const folder = join(dirname(resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  const image = await renderAsync(svg, {
    fitTo: { mode: 'zoom', value: ZOOM },
    font: {
      loadSystemFonts: false,
      fontFiles: FONTS.map((file) => join(folder, file)),
      defaultFontFamily: FAMILY,
      sansSerifFamily: FAMILY,
    },
  });
  return image.asPng();
}
