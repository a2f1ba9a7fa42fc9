import { createHash } from 'node:crypto';
import { meanArray, readMean, type MeanArray } from '../averaging/mean-array.js';
import { PartPool } from '../averaging/part-pool.js';
import { writeShard } from '../averaging/shard-writer.js';
import { faceBytes } from '../data/index.js';
import { IMAGE_CHANNELS } from '../model/architecture.js';
import { modelLayout } from '../model/layout.js';
import { SAMPLE_COUNT, sampleNoise } from '../model/noise.js';
import { cutsOf, type RoundCuts } from '../model/round-cuts.js';
import { updateAt } from '../model/phase.js';
import { sharedFloats } from '../model/replica-protocol.js';
import { restoreState } from '../model/restore-state.js';
import { firstUpdate, lastUpdate, roundLayout, roundsOf, type RoundName } from '../model/round.js';
import { ShardTrainer, type ShardGradient, type ShardStep } from '../model/shard-trainer.js';
import { fillInitialState, stateLayout } from '../model/state.js';
import { bytesOf } from '../common/bytes.js';
import { CHUNK_BYTES } from '../wire/codec.js';
import { imageChunkBytes } from '../wire/face-chunks.js';
import { LIMITS } from '../wire/limits.js';
import { Content, Source, type Bodies, type BodyKind, type Header, type MessageOf } from '../wire/message.js';
import { Pull } from '../wire/pull.js';
import { Rejection } from '../wire/rejection.js';
import type { Segments } from '../wire/segments/segments.js';
import { tellable } from '../wire/text.js';
import { ExpectedChunks, vectorChunk } from '../wire/vector-chunks.js';
import type { LocalSteps } from '../model/local-steps.js';
import type { RunContext } from './run-context.js';
import { shardImages, wholeImages, type OpenImages } from './shard-images.js';
import type { PeerAveraging } from './peers/peer-averaging.js';
import { Unreachable } from './peers/unreachable.js';
import { SessionLost } from './session-lost.js';
import { Snapshots } from './snapshots.js';

export type Send = <Kind extends BodyKind>(
  kind: Kind,
  at: Partial<Header>,
  body: Bodies[Kind],
) => Promise<void>;

/** A round to compute: a phase of a step, or the last `steps` steps, which each shard trains alone. */
export interface ComputeOrder {
  readonly phase: RoundName;
  readonly step: number;
  /** 0 for a phase. */
  readonly steps: number;
  readonly generation: number;
  /** To the coordinator, whatever way gradients go otherwise. */
  readonly collect: boolean;
}

/** Hosts shards over one connection: computes them, updates the replica, and serves snapshots of it. */
export class ShardHost {
  /** Arrays for averages, by round. */
  readonly means: Readonly<Partial<Record<RoundName, MeanArray>>>;
  /** Averaging between workers; undefined if the run has none. */
  peers: PeerAveraging | undefined;
  /** Cuts of each round's vector. */
  readonly #cuts: RoundCuts;
  readonly #snapshots = new Snapshots();
  /** Rounded parts of the shards' vectors, to be sent. */
  #written = new PartPool();
  #incoming: { phase: RoundName; step: number; expected: ExpectedChunks } | undefined;
  #request = 0;
  #pull: { content: Content; shard: number; request: number; pull: Pull } | undefined;
  #generation = 0;
  #shards: readonly number[] = [];
  #images: OpenImages | undefined;
  #computer: ShardTrainer | undefined;

  constructor(
    private readonly run: RunContext,
    private readonly send: Send,
    /** Memory that others of this machine share with this process. */
    private readonly segments?: Segments,
  ) {
    const { options } = run;
    this.means = Object.fromEntries(
      roundsOf(options).map((round) => [round, meanArray(roundLayout(round, options).length, options.wire)]),
    );
    this.#cuts = cutsOf(options);
  }

  /** Starts a generation: work for the previous one is cancelled. */
  begin(generation: number): void {
    this.#generation = generation;
    this.#incoming = undefined;
    // Parts of what was given up may still be on their way, and must stay as they are.
    if (this.run.options.wire !== undefined) this.#written = new PartPool();
    this.peers?.begin(generation);
    this.#giveUpPull();
  }

  /**
   * Takes over shards from `update` on: gets the state that it lacks, and the images that are not here. Does nothing
   * where another generation has begun meanwhile. Rejects with SessionLost where its state is not what the
   * coordinator takes it for.
   */
  async assign(assignment: Bodies['assignment'], generation: number, update: number): Promise<void> {
    if (generation !== this.#generation) return;
    const { shards, source, stateDigest } = assignment;
    try {
      await this.#getState(source, update, stateDigest);
      await this.#getImages(shards);
      await this.peers?.assign(assignment, generation);
    } catch (error) {
      if (error instanceof Unreachable) {
        const { worker, message: reason } = error;
        return this.send('unreachable', { generation }, { worker, reason: tellable(reason) });
      }
      if (error instanceof GivenUp) return;
      throw error;
    }
    this.#shards = shards;
    await this.send('prepared', { generation }, {});
  }

  /** Computes every shard hosted here; each is sent while the next is computed. */
  async compute(order: ComputeOrder): Promise<void> {
    const { phase, step, generation, collect } = order;
    this.#meanOf(phase);
    const computer = this.#computer;
    if (!computer) throw new SessionLost('it was asked to compute before any shard was assigned');
    const peers = this.peers?.isUsed && !collect ? this.peers : undefined;
    if (!peers) this.peers?.drop(lastUpdate(phase, step));
    if (phase === 'local') this.#local().begin();
    // Whoever needed something of the round before has read it.
    this.segments?.beginAnew();
    let sent: Promise<void> = Promise.resolve();
    const firstStep = phase === 'local' ? step - order.steps + 1 : step;
    for (const [index, shard] of this.#shards.entries()) {
      if (generation !== this.#generation) break;
      this.#require(firstUpdate(phase, firstStep));
      const isLast = index + 1 === this.#shards.length;
      const next = isLast
        ? { step: step + 1, shard: this.#shards[0] }
        : { step: firstStep, shard: this.#shards[index + 1] };
      const gradient = await this.#computeShard(computer, order, shard, next);
      if (!gradient) break;
      const { vector } = gradient;
      // A worker that was stopped meanwhile may have taken longer than a message may say.
      const seconds = Math.min(gradient.seconds, LIMITS.computeSeconds);
      await sent;
      const at = { phase, step, generation };
      if (!peers) sent = this.#sendGradient(at, shard, vector, seconds);
      else if (generation === this.#generation) {
        peers.addVector(phase, step, shard, vector);
        sent = this.send('shardDone', at, { shard, computeSeconds: seconds });
      }
      // Its error is that of the next wait for it, which comes when the next shard is computed.
      sent.catch(() => undefined);
      // The discriminator has its update of this step: half of its next phase can be done while the mean is on its way.
      if (isLast && phase === 'generator' && generation === this.#generation)
        computer.prefetchRealBatch(next);
    }
    await sent;
  }

  /** A phase is about to be computed: the average that was coming in before, if any, will not be applied. */
  expectAverage(): void {
    this.#incoming = undefined;
  }

  /** Takes a chunk of what was asked for, or of an average. */
  receiveChunk({ body, phase, step }: MessageOf<'chunk'>): void {
    if (body.content !== Content.AVERAGE) {
      this.#receivePulled(body);
      return;
    }
    if (!phase) throw new Rejection('out_of_range', 'an average without a phase');
    if (this.#incoming?.phase !== phase || this.#incoming.step !== step)
      this.#incoming = { phase, step, expected: this.#expectedMean(phase) };
    const cut = this.#cuts(phase)[this.#incoming.expected.take(body)];
    readMean(this.#meanOf(phase), cut, body.payload);
  }

  /**
   * The update by the average that came in, which is made only when the coordinator says so: it sends an average's
   * chunks before it knows whether all of them are finite. Throws a Rejection where that average is not whole, and
   * rejects with SessionLost where it is not the next one for the replica's state.
   */
  confirmAverage(phase: RoundName, step: number): () => Promise<void> {
    const averaged = this.#meanOf(phase).floats;
    const update = lastUpdate(phase, step);
    const incoming = this.#incoming;
    const isHere = incoming?.phase === phase && incoming.step === step && incoming.expected.complete;
    if (!this.peers?.takeMean(update) && !isHere)
      throw new Rejection('unexpected', `an update of step ${step}, ${phase}, without its average`);
    this.#incoming = undefined;
    // Whoever makes this average has all parts that were sent for it.
    this.#written.releaseAll();
    return async () => {
      if (phase !== 'local') this.#require(update);
      this.run.update = undefined;
      // A mean of states takes the place of any.
      if (phase === 'local') await this.#local().takeOver(averaged);
      else await this.run.replica.call('apply', { phase, step, averaged });
      this.run.update = update + 1;
    };
  }

  /** Copies the state or samples. The coordinator fetches the copy while training continues. */
  async takeSnapshot({ content, withDigest }: Bodies['snapshot']): Promise<void> {
    const { options, replica, local } = this.run;
    await local?.comeBack();
    switch (content) {
      case Content.STATE: {
        const into = this.#snapshots.room(content, stateLayout(modelLayout(options)).length);
        await replica.call('save', { into });
        const digest = withDigest ? sha256(bytesOf(into)) : '';
        return this.send('snapshotTaken', {}, { content, total: into.byteLength, digest });
      }
      case Content.SAMPLES: {
        const into = this.#snapshots.room(content, SAMPLE_COUNT * options.imageSize ** 2 * IMAGE_CHANNELS);
        await replica.call('sample', { noise: sampleNoise(options.seed, options.latentSize), into });
        return this.send('snapshotTaken', {}, { content, total: into.byteLength, digest: '' });
      }
      case Content.UNKNOWN:
      case Content.GRADIENT:
      case Content.AVERAGE:
      case Content.IMAGES:
      case Content.OPERAND:
        throw new Rejection('out_of_range', `no snapshot can be taken of content ${content}`);
    }
  }

  /** Answers a request for one chunk of a snapshot. */
  sendSnapshot(fetch: Bodies['fetch']): void {
    void this.send('chunk', {}, this.#snapshots.chunk(fetch));
  }

  async close(): Promise<void> {
    this.#generation = -1;
    this.#giveUpPull();
    await this.peers?.close();
    this.#images?.close();
  }

  #computeShard(
    computer: ShardTrainer,
    { phase, step, steps, generation }: ComputeOrder,
    shard: number,
    next: ShardStep,
  ): Promise<ShardGradient | undefined> {
    const isWanted = (): boolean => generation === this.#generation;
    if (phase !== 'local') return computer.compute(phase, step, shard, next, isWanted);
    return this.#local().compute(computer, { first: step - steps + 1, last: step }, shard, next, isWanted);
  }

  #local(): LocalSteps {
    const { local } = this.run;
    if (!local) throw new Rejection('out_of_range', 'local steps in a run that has none');
    return local;
  }

  #meanOf(round: RoundName): MeanArray {
    const mean = this.means[round];
    if (!mean)
      throw new Rejection('out_of_range', `an average of round ${round}, which the run does not have`);
    return mean;
  }

  async #getState(source: Source, update: number, digest: string): Promise<void> {
    const { options, replica, local } = this.run;
    const layout = modelLayout(options);
    switch (source) {
      case Source.KEEP:
        this.#require(update);
        return;
      case Source.CATCH_UP:
        if (!local) this.#require(update - 1);
        return;
      case Source.FETCH: {
        const state = sharedFloats(stateLayout(layout).length);
        await this.#fetch(Content.STATE, 0, state.byteLength, CHUNK_BYTES, copyInto(bytesOf(state)));
        if (sha256(bytesOf(state)) !== digest) throw new SessionLost('the state that came is damaged');
        // Where the fetch is given up, it still has the state it had.
        this.run.update = undefined;
        local?.forget();
        await replica.call('restore', { state });
        this.run.update = update;
        return;
      }
      case Source.SEED:
        this.run.update = undefined;
        local?.forget();
        await restoreState(replica, layout, ({ at, part }) => {
          fillInitialState(layout, options.seed, part, at);
        });
        this.run.update = update;
    }
  }

  async #getImages(shards: readonly number[]): Promise<void> {
    const { options, replica, faces, sampler, dataset, cache, log } = this.run;
    if (this.#images && faces) return;
    const images = faces
      ? wholeImages(faces, sampler)
      : await shardImages({ cache, dataset, sampler, shards, log }, (shard, take) => {
          const face = faceBytes(dataset.size);
          const total = sampler.sizeOf(shard) * face;
          return this.#fetch(Content.IMAGES, shard, total, imageChunkBytes(face), take);
        });
    this.#images?.close();
    this.#images = images;
    this.#computer = new ShardTrainer(options, replica, images);
  }

  /** Throws SessionLost unless the replica has the state before this update. */
  #require(update: number): void {
    if (this.run.update === update) return;
    throw new SessionLost(`its state is ${named(this.run.update)}, and ${named(update)} is asked for`);
  }

  #receivePulled(body: Bodies['chunk']): void {
    if (this.#pull?.request === body.request) {
      const { content, shard, pull } = this.#pull;
      if (content !== body.content || shard !== body.shard)
        throw new Rejection('unexpected', `a chunk of content ${body.content} that nobody asked for`);
      pull.receive(body);
    } else if (body.request > this.#request)
      throw new Rejection('unexpected', `a chunk of content ${body.content} that nobody asked for`);
    // Otherwise it was on its way when its reading was given up.
  }

  #expectedMean(round: RoundName): ExpectedChunks {
    return new ExpectedChunks(this.#meanOf(round).floats.length, this.#cuts(round));
  }

  async #sendGradient(
    at: Partial<Header> & { readonly phase: RoundName },
    shard: number,
    vector: Float32Array,
    seconds: number,
  ): Promise<void> {
    const of = { content: Content.GRADIENT, shard, length: vector.length };
    const { phase } = at;
    for (const { cut, payload } of writeShard(vector, this.#cuts(phase), this.#written)) {
      const place = { offset: cut.offset, format: cut.format };
      await this.send('chunk', at, vectorChunk(of, place, payload));
    }
    await this.send('shardDone', at, { shard, computeSeconds: seconds });
  }

  async #fetch(
    content: Content,
    shard: number,
    total: number,
    chunkBytes: number,
    take: (payload: Uint8Array, offset: number) => Promise<void> | void,
  ): Promise<void> {
    const request = ++this.#request;
    const ask = (offset: number): Promise<void> =>
      this.send('fetch', {}, { content, shard, offset, request });
    const pull = new Pull(total, chunkBytes, ask, take);
    this.#pull = { content, shard, request, pull };
    await pull.start();
    this.#pull = undefined;
  }

  #giveUpPull(): void {
    this.#pull?.pull.cancel(new GivenUp());
    this.#pull = undefined;
  }
}

/** Another generation began, or the connection ended. */
class GivenUp extends Error {
  override readonly name = 'GivenUp';
}

function named(update: number | undefined): string {
  if (update === undefined) return 'not whole';
  const { phase, step } = updateAt(update);
  return `that before the ${phase}'s update of step ${step}`;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function copyInto(bytes: Uint8Array): (payload: Uint8Array, offset: number) => void {
  return (payload, offset) => {
    bytes.set(payload, offset);
  };
}
