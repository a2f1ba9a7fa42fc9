import type { MeanArray } from '../../averaging/mean-array.js';
import { PartPool } from '../../averaging/part-pool.js';
import { SumPlans, type PlacePlans } from '../../averaging/sum-plan.js';
import { afterAwake } from '../../common/process/awake.js';
import { messageOf } from '../../common/errors.js';
import { cutsOf, type RoundCuts } from '../../model/round-cuts.js';
import { lastUpdate, roundAt, roundLayout, type RoundName } from '../../model/round.js';
import type { TrainingOptions } from '../../model/training-options.js';
import { bytesOf } from '../../common/bytes.js';
import type { Received } from '../../wire/listener.js';
import type { Bodies, Header, MessageOf } from '../../wire/message.js';
import { Rejection } from '../../wire/rejection.js';
import { chunkOf } from '../../wire/segments/shared-chunk.js';
import type { Segments } from '../../wire/segments/segments.js';
import { Sequence } from '../../wire/sequence.js';
import { Neighbours, type Neighbour } from './neighbours.js';
import { PeerRoundMember } from './peer-round-member.js';
import type { PeerSockets } from './peer-sockets.js';

/** The round that is under way and, from others that are ahead, the one after it. */
const ROUNDS_AT_ONCE = 2;

interface Sender {
  readonly worker: number;
  readonly generation: number;
  readonly sequence: Sequence;
}

export interface PeerAveragingOptions {
  readonly training: TrainingOptions;
  readonly sockets: PeerSockets;
  /** Memory that others of this machine share with this process. */
  readonly segments?: Segments | undefined;
  /** This worker's number, and the run's header. */
  readonly self: number;
  readonly header: Header;
  /** Arrays for the means, by round. */
  readonly means: Readonly<Partial<Record<RoundName, MeanArray>>>;
  /** Milliseconds that the coordinator has to detect a worker that other workers lost. */
  readonly liveness: number;
  /** The mean of a round is whole here. */
  readonly onAveraged: (at: { phase: RoundName; step: number }, body: Bodies['averaged']) => void;
  readonly onUnreachable: (generation: number, body: Bodies['unreachable']) => void;
}

/** A worker's part in averaging among workers, in one generation after the other. */
export class PeerAveraging {
  readonly #pool = new PartPool();
  readonly #rounds = new Map<number, PeerRoundMember>();
  /** Worker at the other end of each incoming connection. */
  readonly #greeted = new Map<string, Sender>();
  #generation = 0;
  #plans: PlacePlans | undefined;
  #neighbours: Neighbours | undefined;
  #sentBefore = 0;
  /** Cancel what is waited for before a lost neighbour is reported. */
  readonly #waits = new Set<() => void>();

  /** Cuts of each round's vector. */
  readonly #cuts: RoundCuts;

  constructor(private readonly options: PeerAveragingOptions) {
    this.#cuts = cutsOf(options.training);
  }

  /** True if workers average between themselves in this generation. */
  get isUsed(): boolean {
    return this.#plans !== undefined;
  }

  /** Starts a generation: work for the previous one is cancelled. */
  begin(generation: number): void {
    this.#generation = generation;
    for (const cancel of this.#waits) cancel();
    this.#waits.clear();
    this.#plans = undefined;
    this.#neighbours?.close();
    this.#neighbours = undefined;
    this.#rounds.clear();
    this.#pool.releaseAll();
    for (const [peer, greeted] of this.#greeted)
      if (greeted.generation < generation) this.#greeted.delete(peer);
  }

  /** Rejects with Unreachable. */
  async assign({ workerOfShard, neighbours }: Bodies['assignment'], generation: number): Promise<void> {
    if (workerOfShard.length === 0) return;
    const { training, self, sockets, segments, header } = this.options;
    const plans = new SumPlans(training.summation, workerOfShard).at(self);
    const group = new Neighbours({
      ...{ sockets, segments, self, header: { ...header, generation } },
      onLost: (worker) => {
        this.#miss(worker, generation);
      },
    });
    this.#neighbours = group;
    await group.connect(neighbours.map(wholePeer));
    if (generation === this.#generation) this.#plans = plans;
  }

  /** Adds the vector of a local shard. It must not change until the round is over. */
  addVector(phase: RoundName, step: number, shard: number, vector: Float32Array): void {
    const update = lastUpdate(phase, step);
    this.#round(update).addVector(shard, vector);
    this.#reportIfWhole(update);
  }

  /** Returns whether the mean of this update is complete, and forgets it. */
  takeMean(update: number): boolean {
    const isWhole = this.#rounds.get(update)?.complete ?? false;
    this.drop(update);
    return isWhole;
  }

  /** A round is over, or is made in another way. */
  drop(update: number): void {
    if (!this.#rounds.delete(update)) return;
    // Nothing of the next round can have been summed before this one was applied.
    if (this.#rounds.size === 0) this.#pool.releaseAll();
  }

  /** Something came from another worker. What cannot be meant costs the way that it came. */
  receive({ peer, number, message }: Received): void {
    const sender = this.#greeted.get(peer);
    try {
      if (!message) throw new Rejection('undecodable', 'what is no message');
      if (message.run !== this.options.header.run) throw new Rejection('wrong_run', `run ${message.run}`);
      if (message.kind === 'greeting') {
        this.#greet(peer, number, message);
        return;
      }
      if (message.kind !== 'chunk' && message.kind !== 'sharedChunk')
        throw new Rejection('unexpected', `${message.kind} is not for another worker`);
      if (!sender) throw new Rejection('unknown_sender', 'a chunk from nobody');
      sender.sequence.require(number);
      if (message.generation === this.#generation) this.#receivePart(sender.worker, message);
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      // Number and checksum belong to the connection: what was on its way in an earlier generation means nothing now.
      if (sender?.generation === this.#generation)
        this.#report(sender.worker, `it sent an invalid message: ${error.message}`);
    }
  }

  async close(): Promise<void> {
    this.begin(-1);
    await this.options.sockets.close();
  }

  #greet(peer: string, number: number, { generation, body }: MessageOf<'greeting'>): void {
    if (!this.options.sockets.isToken(body.token))
      throw new Rejection('unknown_sender', 'a greeting of somebody whom the coordinator has not sent');
    const sequence = new Sequence();
    sequence.require(number);
    if (generation >= this.#generation)
      this.#greeted.set(peer, { worker: body.worker, generation, sequence });
  }

  #receivePart(worker: number, message: MessageOf<'chunk' | 'sharedChunk'>): void {
    if (message.kind === 'chunk') {
      this.#receiveChunk(worker, message);
      return;
    }
    const { segments } = this.options;
    const segment = this.#neighbours?.segmentOf(worker) ?? '';
    this.#receiveChunk(worker, chunkOf(segments, segment, message));
    segments?.requireUnchanged(segment, message.body);
  }

  #receiveChunk(worker: number, { body, phase, step }: MessageOf<'chunk'>): void {
    if (!phase) throw new Rejection('out_of_range', 'a part of a sum without a phase');
    const update = lastUpdate(phase, step);
    if (roundAt(update, this.options.training).phase !== phase)
      throw new Rejection('out_of_range', `a part of a sum of round ${phase}, which the run does not have`);
    this.#round(update).receive(worker, body);
    this.#reportIfWhole(update);
  }

  #round(update: number): PeerRoundMember {
    const known = this.#rounds.get(update);
    if (known) return known;
    const plans = this.#plans;
    if (!plans || this.#rounds.size >= ROUNDS_AT_ONCE)
      throw new Rejection('unexpected', `a part of a sum of update ${update}`);
    const { training, means } = this.options;
    const { phase, step } = roundAt(update, training);
    const mean = means[phase];
    if (!mean) throw new Error(`there is no mean of round ${phase}`);
    const round = new PeerRoundMember({
      ...{ plans, mean, pool: this.#pool },
      gradientEnd: roundLayout(phase, training).normEnd,
      cuts: this.#cuts(phase),
      send: (worker, chunk) => {
        this.#neighbours?.send(worker, chunk, { phase, step }).catch((error: unknown) => {
          this.#report(worker, messageOf(error));
        });
      },
    });
    this.#rounds.set(update, round);
    return round;
  }

  #reportIfWhole(update: number): void {
    const round = this.#rounds.get(update);
    if (!round?.complete) return;
    const { training } = this.options;
    const { phase, step } = roundAt(update, training);
    const { squares, makesMeasures, mean } = round;
    const { sentBytes } = this.options.sockets;
    const sent = sentBytes - this.#sentBefore;
    this.#sentBefore = sentBytes;
    const measures = makesMeasures
      ? bytesOf(mean.slice(-roundLayout(phase, training).measures))
      : new Uint8Array();
    const made = { parts: [...squares.keys()], squares: [...squares.values()] };
    this.options.onAveraged({ phase, step }, { ...made, measures, sentBytes: sent });
  }

  /** If the other worker has ended, the coordinator notices it and reports it before this timeout. */
  #miss(worker: number, generation: number): void {
    const cancel = afterAwake(this.options.liveness, () => {
      this.#waits.delete(cancel);
      if (this.#generation === generation) this.#report(worker, 'the connection to it broke');
    });
    this.#waits.add(cancel);
  }

  #report(worker: number, reason: string): void {
    this.options.onUnreachable(this.#generation, { worker, reason });
  }
}

function wholePeer(peer: Bodies['assignment']['neighbours'][number]): Neighbour {
  return {
    worker: peer.worker ?? 0,
    host: peer.host ?? '',
    addresses: peer.addresses ?? [],
    key: peer.key ?? '',
    token: peer.token ?? '',
    segment: peer.segment ?? '',
  };
}
