import type { Faces, Sampler } from '../data/index.js';
import { faceBytes } from '../data/index.js';
import { IMAGE_CHANNELS } from '../model/architecture.js';
import { modelLayout } from '../model/layout.js';
import { SAMPLE_COUNT, sampleNoise } from '../model/noise.js';
import { phaseLayout, type Phase } from '../model/phase.js';
import type { ReplicaHandle } from '../model/replica-handle.js';
import { sharedFloats } from '../model/replica-protocol.js';
import { restoreState } from '../model/restore-state.js';
import { ShardComputer } from '../model/shard-computer.js';
import { fillInitialState, stateLayout } from '../model/state.js';
import type { TrainingOptions } from '../model/training-options.js';
import { bytesOf, ChunkAssembly, chunkOffsets } from '../wire/chunks.js';
import { CHUNK_BYTES } from '../wire/codec.js';
import { imageChunkBytes } from '../wire/face-chunks.js';
import { Content, type Bodies, type BodyKind, type Header, type MessageOf } from '../wire/message.js';
import { Pull } from '../wire/pull.js';
import { Rejection } from '../wire/rejection.js';
import { shardImages, wholeImages, type OpenImages, type RunDataset } from './run-images.js';

export type Send = <Kind extends BodyKind>(
  kind: Kind,
  at: Partial<Header>,
  body: Bodies[Kind],
) => Promise<void>;

export interface HostingParts {
  readonly options: TrainingOptions;
  readonly dataset: RunDataset;
  readonly replica: ReplicaHandle;
  /** The whole dataset, where this machine has it. */
  readonly faces: Faces | undefined;
  readonly sampler: Sampler;
  readonly cache: string;
}

type SnapshotContent = typeof Content.STATE | typeof Content.SAMPLES;

/** What a worker does for a run: holds a replica, hosts shards, hands over copies of its state. */
export class Hosting {
  readonly #averages: Record<Phase, Float32Array>;
  readonly #snapshots = new Map<SnapshotContent, Float32Array>();
  #incoming: { phase: Phase; step: number; assembly: ChunkAssembly } | undefined;
  #pull: { content: Content; shard: number; pull: Pull } | undefined;
  #shards: readonly number[] = [];
  #images: OpenImages | undefined;
  #computer: ShardComputer | undefined;

  constructor(
    private readonly parts: HostingParts,
    private readonly send: Send,
  ) {
    const layout = modelLayout(parts.options);
    this.#averages = {
      discriminator: sharedFloats(phaseLayout('discriminator', layout).length),
      generator: sharedFloats(phaseLayout('generator', layout).length),
    };
  }

  /** Takes over shards: gets the state to begin from, and the images that are not here. */
  async assign(shards: readonly number[], fetchState: boolean): Promise<void> {
    const { options, replica, faces, sampler, dataset, cache } = this.parts;
    const layout = modelLayout(options);
    if (fetchState) {
      const state = sharedFloats(stateLayout(layout).length);
      await this.#fetch(Content.STATE, 0, state.byteLength, CHUNK_BYTES, copyInto(bytesOf(state)));
      await replica.call('restore', { state });
    } else {
      await restoreState(replica, layout, ({ at, part }) => {
        fillInitialState(layout, options.seed, part, at);
      });
    }

    this.#images?.close();
    this.#images = faces
      ? wholeImages(faces, sampler)
      : await shardImages(cache, dataset, sampler, shards, (shard, take) => {
          const face = faceBytes(dataset.size);
          return this.#fetch(
            Content.IMAGES,
            shard,
            sampler.sizeOf(shard) * face,
            imageChunkBytes(face),
            take,
          );
        });
    this.#shards = shards;
    this.#computer = new ShardComputer(options, replica, this.#images);
    this.#incoming = undefined;
  }

  /** Computes the phase on every shard hosted here; each is sent while the next is computed. */
  async compute(phase: Phase, step: number): Promise<void> {
    const computer = this.#computer;
    if (!computer) throw new Rejection('unexpected', 'asked to compute before any shard was assigned');
    let sent: Promise<void> = Promise.resolve();
    for (const [index, shard] of this.#shards.entries()) {
      const isLast = index + 1 === this.#shards.length;
      const next = isLast
        ? { step: step + 1, shard: this.#shards[0] }
        : { step, shard: this.#shards[index + 1] };
      const { vector, seconds } = await computer.compute(phase, step, shard, next);
      await sent;
      sent = this.#sendGradient({ phase, step }, shard, vector, seconds);
    }
    await sent;
  }

  /** Takes a chunk of what was asked for, or of an average. */
  receiveChunk({ body, phase, step }: MessageOf<'chunk'>): void {
    if (body.content !== Content.AVERAGE) {
      const { content, shard } = body;
      if (this.#pull?.content !== content || this.#pull.shard !== shard)
        throw new Rejection('unexpected', `a chunk of content ${content} that nobody asked for`);
      this.#pull.pull.receive(body);
      return;
    }
    if (!phase) throw new Rejection('out_of_range', 'an average without a phase');
    if (this.#incoming?.phase !== phase || this.#incoming.step !== step)
      this.#incoming = { phase, step, assembly: new ChunkAssembly(bytesOf(this.#averages[phase])) };
    this.#incoming.assembly.add(body);
  }

  /**
   * The update by the average that came in, which is made only when the coordinator says so: it sends an average's
   * chunks before it knows whether all of them are finite. Throws a Rejection where that average is not whole.
   */
  confirmAverage(phase: Phase, step: number): () => Promise<void> {
    const incoming = this.#incoming;
    if (incoming?.phase !== phase || incoming.step !== step || !incoming.assembly.complete)
      throw new Rejection('unexpected', `an update of step ${step}, ${phase}, without its average`);
    this.#incoming = undefined;
    return async () => {
      await this.parts.replica.call('apply', { phase, step, averaged: this.#averages[phase] });
    };
  }

  /** Copies state or samples as they are now, to be fetched while training goes on. */
  async takeSnapshot(content: Content): Promise<void> {
    const { options, replica } = this.parts;
    switch (content) {
      case Content.STATE: {
        const into = this.#snapshot(content, stateLayout(modelLayout(options)).length);
        await replica.call('save', { into });
        return this.send('snapshotTaken', {}, { content, total: into.byteLength });
      }
      case Content.SAMPLES: {
        const into = this.#snapshot(content, SAMPLE_COUNT * options.imageSize ** 2 * IMAGE_CHANNELS);
        await replica.call('sample', { noise: sampleNoise(options.seed, options.latentSize), into });
        return this.send('snapshotTaken', {}, { content, total: into.byteLength });
      }
      case Content.UNKNOWN:
      case Content.GRADIENT:
      case Content.AVERAGE:
      case Content.IMAGES:
        throw new Rejection('out_of_range', `no snapshot can be taken of content ${content}`);
    }
  }

  /** Answers a request for one chunk of a snapshot. */
  sendSnapshot({ content, offset }: Bodies['fetch']): void {
    const snapshot = this.#snapshots.get(content as SnapshotContent);
    if (!snapshot || offset >= snapshot.byteLength)
      throw new Rejection('unexpected', `no snapshot of content ${content} has a byte ${offset}`);
    const bytes = bytesOf(snapshot);
    const payload = bytes.subarray(offset, offset + CHUNK_BYTES);
    void this.send('chunk', {}, { content, shard: 0, offset, total: bytes.length, payload });
  }

  close(): void {
    this.#images?.close();
    this.#pull?.pull.cancel(new Error('the worker ends'));
  }

  /** One buffer for each content, used again: the coordinator fetches one whole before it asks for another. */
  #snapshot(content: SnapshotContent, length: number): Float32Array {
    const into = this.#snapshots.get(content) ?? sharedFloats(length);
    this.#snapshots.set(content, into);
    return into;
  }

  async #sendGradient(
    at: Partial<Header>,
    shard: number,
    vector: Float32Array,
    seconds: number,
  ): Promise<void> {
    const bytes = bytesOf(vector);
    for (const { offset, length } of chunkOffsets(bytes.length)) {
      const payload = bytes.subarray(offset, offset + length);
      await this.send('chunk', at, {
        content: Content.GRADIENT,
        shard,
        offset,
        total: bytes.length,
        payload,
      });
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
    const pull = new Pull(
      total,
      chunkBytes,
      (offset) => this.send('fetch', {}, { content, shard, offset }),
      take,
    );
    this.#pull = { content, shard, pull };
    await pull.start();
    this.#pull = undefined;
  }
}

function copyInto(bytes: Uint8Array): (payload: Uint8Array, offset: number) => void {
  return (payload, offset) => {
    bytes.set(payload, offset);
  };
}
