import { writtenMean, type MeanArray } from '../../../averaging/mean-array.js';
import type { Faces, Sampler } from '../../../data/index.js';
import { modelLayout } from '../../../model/layout.js';
import { cutsOf } from '../../../model/round-cuts.js';
import { updateAt } from '../../../model/phase.js';
import { roundAt } from '../../../model/round.js';
import { stateLayout } from '../../../model/state.js';
import type { TrainingOptions } from '../../../model/training-options.js';
import { Content, Source, type Bodies } from '../../../wire/message.js';
import { Rejection } from '../../../wire/rejection.js';
import { vectorChunk } from '../../../wire/vector-chunks.js';
import type { StateSource } from '../../../model/state-source.js';
import { ChunkSource } from '../state-transfer/chunk-source.js';
import { SnapshotRelay } from '../state-transfer/snapshot-relay.js';
import type { SnapshotRequests } from '../state-transfer/snapshot-requests.js';
import type { WorkerChannel } from '../worker-channel.js';
import type { Assignment, Plan } from './recovery.js';
import type { Member, Roster } from './roster.js';
import type { Routes } from '../rounds/routes.js';

export interface ReassignmentParts {
  readonly training: TrainingOptions;
  readonly faces: Faces;
  readonly sampler: Sampler;
  readonly roster: Roster;
  readonly channel: WorkerChannel;
  readonly snapshots: SnapshotRequests;
  readonly routes: Routes;
  /** The average of the last update. */
  readonly average: (update: number) => MeanArray;
}

/** The version of the state that shards are assigned with, and how to get what belongs to them. */
interface WhatComesWith {
  readonly update: number;
  /** SHA-256 of the state, in hexadecimal. */
  readonly digest: string;
}

/** Brings the workers into a new generation: hands out shards, and the state to those that lack it. */
export class Reassignment {
  readonly #images: ChunkSource;
  /** State at the run's origin; undefined: the seed's. */
  #origin: StateSource | undefined;
  /** Relay of the state that other workers fetch. */
  #offered: { readonly relay: SnapshotRelay; readonly release: () => void } | undefined;

  constructor(
    private readonly parts: ReassignmentParts,
    origin: StateSource | undefined,
  ) {
    this.#images = new ChunkSource(parts.faces, parts.sampler);
    this.#origin = origin;
  }

  rewind(origin: StateSource | undefined): void {
    this.#origin = origin;
  }

  /** Rejects with WorkerLost where one that hands something on is lost meanwhile. */
  async carryOut(plan: Plan, update: number): Promise<void> {
    this.#close();
    this.parts.routes.begin(plan.assignments);
    this.#readSegments(plan.assignments);
    const holder = plan.assignments.find(({ worker }) => worker === plan.holder);
    const isUpToDate = holder?.source === 'keep';
    // Getting images may take a worker long: one that is up to date copies its state before.
    const offered = isUpToDate ? this.#offerState(holder) : Promise.resolve('');
    // Its error is that of the wait for it, below.
    offered.catch(() => undefined);
    const assign = async (fetches: boolean, digest: string): Promise<void> => {
      for (const assignment of plan.assignments)
        if ((assignment.source === 'fetch') === fetches)
          await this.#assign(assignment, plan, { update, digest });
    };
    await assign(false, '');
    let digest = await offered;
    if (!holder) digest = this.#origin?.digest ?? '';
    else if (!isUpToDate) digest = await this.#offerState(holder);
    await assign(true, digest);
  }

  /** Answers a worker that lacks something. Throws a Rejection for what there is not. */
  async fetch(member: Member, fetch: Bodies['fetch']): Promise<void> {
    const { channel } = this.parts;
    if (fetch.content === Content.IMAGES) return channel.send(member, 'chunk', this.#images.images(fetch));
    if (fetch.content !== Content.STATE)
      throw new Rejection('out_of_range', `content ${fetch.content} cannot be fetched here`);
    if (this.#offered) return this.#offered.relay.fetch(member, fetch);
    // It was on its way when another generation began.
    if (!this.#origin)
      throw new Rejection('wrong_generation', `fetch of content ${fetch.content}, which is not offered`);
    return channel.send(member, 'chunk', await this.#images.state(this.#origin, fetch));
  }

  /** Returns whether other workers fetch, or will fetch, the state of this worker. */
  isGiving(worker: number): boolean {
    return this.#offered?.relay.giver === worker;
  }

  /** Ends the offer once all workers have the state. */
  end(): void {
    this.#close();
  }

  /** No round is under way whose parts lie in those of workers that have left. */
  #readSegments(assignments: readonly Assignment[]): void {
    const { channel, roster } = this.parts;
    channel.segments?.readOnly(assignments.flatMap(({ worker }) => roster.get(worker)?.segment ?? []));
  }

  #close(): void {
    this.#offered?.relay.close();
    this.#offered?.release();
    this.#offered = undefined;
  }

  /** Lets others fetch a copy of a worker's state. Resolves with its digest. */
  async #offerState({ worker }: Assignment): Promise<string> {
    const { roster, training, snapshots, channel } = this.parts;
    const member = roster.get(worker);
    if (!member) return '';
    const total = stateLayout(modelLayout(training)).length * Float32Array.BYTES_PER_ELEMENT;
    const { copy, release } = await snapshots.take({
      member,
      content: Content.STATE,
      total,
      withDigest: true,
    });
    this.#offered = { relay: new SnapshotRelay(copy, snapshots, channel), release };
    return copy.digest;
  }

  async #assign(
    { worker, shards, source }: Assignment,
    { generation, holder }: Plan,
    { update, digest }: WhatComesWith,
  ): Promise<void> {
    const { roster, channel } = this.parts;
    const member = roster.get(worker);
    // Who was lost meanwhile is missed by whoever waits.
    if (!member) return;
    member.generation = generation;
    const how = source === 'fetch' && holder === undefined && !this.#origin ? Source.SEED : SOURCES[source];
    const stateDigest = source === 'fetch' ? digest : '';
    const told = { shards: [...shards], source: how, stateDigest };
    const body = { ...told, ...this.parts.routes.of(worker) };
    await channel.send(member, 'assignment', body, updateAt(update));
    if (source === 'catch up') await this.#sendMissedAverage(member, update - 1);
  }

  async #sendMissedAverage(member: Member, update: number): Promise<void> {
    const { channel, average, training } = this.parts;
    const mean = average(update);
    const at = roundAt(update, training);
    const of = { content: Content.AVERAGE, shard: 0, length: mean.floats.length };
    for (const cut of cutsOf(training)(at.phase)) {
      const place = { offset: cut.offset, format: cut.format };
      await channel.send(member, 'chunk', vectorChunk(of, place, writtenMean(mean, cut)), at);
    }
    await channel.send(member, 'apply', {}, at);
  }
}

const SOURCES = {
  keep: Source.KEEP,
  still: Source.KEEP,
  'catch up': Source.CATCH_UP,
  fetch: Source.FETCH,
} as const;
