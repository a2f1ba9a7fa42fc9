import sharp from 'sharp';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { messageOf } from '../../common/errors.js';
import { leaveSignalsToParent } from '../../common/process/stop-signals.js';
import { DOTS_PER_INCH } from './figure.js';

/** Response of the process: the chart as PNG, or one line with the error. */
export interface RenderedChart {
  readonly picture?: Uint8Array;
  readonly problem?: string;
}

leaveSignalsToParent();

// Takes one chart from its parent and ends with the channel: after the answer, or when the parent has died.
process.once('message', (chart) => {
  void render(chart as TopLevelSpec).then(answer, (error: unknown) => {
    answer({ problem: `cannot draw the chart: ${messageOf(error)}` });
  });
});
process.once('disconnect', () => {
  process.exit();
});

async function render(chart: TopLevelSpec): Promise<RenderedChart> {
  const view = new View(parse(compile(chart).spec), { renderer: 'none' });
  const drawing = Buffer.from(await view.toSVG());
  return {
    picture: await sharp(drawing).removeAlpha().png().withMetadata({ density: DOTS_PER_INCH }).toBuffer(),
  };
}

function answer(chart: RenderedChart): void {
  process.send?.(chart);
}
