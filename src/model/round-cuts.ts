import { cutVector, type Cut } from '../averaging/vector-cuts.js';
import { roundLayout, roundsOf, type RoundName } from './round.js';
import type { TrainingOptions } from './training-options.js';

/** Cuts of each round's vector in a run. */
export type RoundCuts = (round: RoundName) => readonly Cut[];

export function cutsOf(training: TrainingOptions): RoundCuts {
  const cuts = new Map(roundsOf(training).map((round) => [round, roundCuts(round, training)]));
  return (round) => {
    const known = cuts.get(round);
    if (!known) throw new Error(`the run has no round ${round}`);
    return known;
  };
}

function roundCuts(round: RoundName, training: TrainingOptions): Cut[] {
  const { length, normEnd } = roundLayout(round, training);
  return cutVector({ length, gradientEnd: normEnd, shards: training.shards, wire: training.wire });
}
