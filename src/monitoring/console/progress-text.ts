import type { LogFields } from '../../common/log.js';
import type { StepRecord } from '../../run/step-record.js';

export interface ProgressState {
  readonly record: StepRecord;
  readonly totalSteps: number;
  readonly totalEpochs: number;
  readonly secondsLeft: number | undefined;
}

const BAR_WIDTH = { least: 10, most: 30 };
const GAP = '  ';

/** All of a step's progress, for a log. */
export function progressLine(state: ProgressState): string {
  return Object.values(fieldsOf(state)).join(GAP);
}

/** The same for programs. */
export function progressFields({ record, totalSteps, totalEpochs, secondsLeft }: ProgressState): LogFields {
  const { epoch, step, discriminatorLoss, generatorLoss, realScore, fakeScoreBefore, fakeScoreAfter } =
    record;
  const { imagesPerSecond, workers } = record;
  return {
    ...{ epoch, totalEpochs, step, totalSteps, discriminatorLoss, generatorLoss },
    ...{ realScore, fakeScoreBefore, fakeScoreAfter, imagesPerSecond, secondsLeft, workers },
  };
}

/** A bar and as many of the fields as fit into the columns. What one can do without goes first. */
export function progressBar(state: ProgressState, columns: number): string {
  const fields = fieldsOf(state);
  const shown = new Map<string, string>();
  let room = columns - BAR_WIDTH.least;
  for (const name of ['step', 'left', 'losses', 'rate', 'scores', 'epoch'] as const) {
    const width = fields[name].length + GAP.length;
    if (width > room) break;
    shown.set(name, fields[name]);
    room -= width;
  }
  const width = Math.max(0, Math.min(BAR_WIDTH.most, BAR_WIDTH.least + room));
  const done = Math.round(width * Math.min(1, state.record.step / state.totalSteps));
  const bar = '█'.repeat(done) + '░'.repeat(width - done);
  return [bar, ...Object.keys(fields).flatMap((name) => shown.get(name) ?? [])].join(GAP);
}

/** In the order in which they are read. */
function fieldsOf({ record, totalSteps, totalEpochs, secondsLeft }: ProgressState) {
  const { fakeScoreBefore, fakeScoreAfter } = record;
  return {
    epoch: `epoch ${record.epoch}/${totalEpochs}`,
    step: `step ${record.step}/${totalSteps}`,
    losses: `loss D ${record.discriminatorLoss.toFixed(4)} G ${record.generatorLoss.toFixed(4)}`,
    scores: `D(x) ${record.realScore.toFixed(2)} D(G(z)) ${fakeScoreBefore.toFixed(2)}/${fakeScoreAfter.toFixed(2)}`,
    rate: `${record.imagesPerSecond.toFixed(1)} images/s`,
    left: `${secondsLeft === undefined ? '?' : formatDuration(secondsLeft)} left`,
  };
}

/** 42s, 12m 03s, 3h 05m, 2d 04h: two units are as exact as an estimate is. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const [large, small, units] =
    whole < 3600
      ? [whole / 60, whole % 60, 'ms']
      : whole < 86_400
        ? [whole / 3600, (whole % 3600) / 60, 'hm']
        : [whole / 86_400, (whole % 86_400) / 3600, 'dh'];
  return `${Math.floor(large)}${units.charAt(0)} ${String(Math.floor(small)).padStart(2, '0')}${units.charAt(1)}`;
}
