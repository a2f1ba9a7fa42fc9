import type { TopLevelSpec } from 'vega-lite';
import { points } from './figure.js';

/** A picture as it lies in a file. */
export interface PlacedPicture {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** matplotlib's distance between two plots, to the width of one. */
const GAP = 0.2;

/** The tutorial's last figure: real images on the left, generated ones on the right. */
export function faceChart(real: PlacedPicture, fake: PlacedPicture): TopLevelSpec {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    background: 'white',
    // In whole dots, so that faces stay as sharp as they are.
    padding: Math.round(points(12)),
    hconcat: [titled('Real Images', real), titled('Fake Images', fake)],
    spacing: Math.round(GAP * real.width),
    config: {
      font: 'DejaVu Sans, sans-serif',
      title: { fontSize: points(12), fontWeight: 'normal', offset: points(6), anchor: 'middle' },
      view: { stroke: null },
    },
  };
}

function titled(title: string, { png, width, height }: PlacedPicture) {
  const url = `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
  return {
    title,
    width,
    height,
    data: { values: [{ url }] },
    mark: { type: 'image', width, height },
    encoding: { url: { field: 'url', type: 'nominal' }, x: { value: width / 2 }, y: { value: height / 2 } },
  } as const;
}
