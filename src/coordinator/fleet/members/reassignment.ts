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
import { ContentSource } from '../state-transfer/chunk-source.js';
import { CopyRelay } from '../state-transfer/snapshot-relay.js';
import type { Copies } from '../state-transfer/snapshot-requests.js';
import type { Post } from '../worker-channel.js';
import type { Assignment, Plan } from './recovery.js';
import type { Member, Roster } from './roster.js';
import type { Routes } from '../rounds/routes.js';

export interface RegroupParts {
  readonly training: TrainingOptions;
  readonly faces: Faces;
  readonly sampler: Sampler;
  readonly roster: Roster;
  readonly post: Post;
  readonly copies: Copies;
  readonly routes: Routes;
  /** The average of the last update. */
  readonly average: (update: number) => MeanArray;
}

/** The version of the state that shards are assigned with, and how to get what belongs to them. */
interface WhatComesWith {
  readonly update: number;
  /** Of the state. */
  readonly digest: string;
}

/** Brings the workers into a new membership: hands out shards, and the state to those that lack it. */
export class Regroup {
  readonly #images: ContentSource;
  /** Where the run begins; undefined: from its seed. */
  #origin: StateSource | undefined;
  /** What workers hand on to others. */
  #offered: { readonly relay: CopyRelay; readonly release: () => void } | undefined;

  constructor(
    private readonly parts: RegroupParts,
    origin: StateSource | undefined,
  ) {
    this.#images = new ContentSource(parts.faces, parts.sampler);
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
    const { post } = this.parts;
    if (fetch.content === Content.IMAGES) return post.send(member, 'chunk', this.#images.images(fetch));
    if (fetch.content !== Content.STATE)
      throw new Rejection('out_of_range', `content ${fetch.content} cannot be fetched here`);
    if (this.#offered) return this.#offered.relay.fetch(member, fetch);
    // It was on its way when another generation began.
    if (!this.#origin)
      throw new Rejection('wrong_generation', `fetch of content ${fetch.content}, which is not offered`);
    return post.send(member, 'chunk', await this.#images.state(this.#origin, fetch));
  }

  /** Whether others fetch something from this worker, or are going to. */
  isGiving(worker: number): boolean {
    return this.#offered?.relay.giver === worker;
  }

  /** Everybody has what was offered. */
  end(): void {
    this.#close();
  }

  /** No round is under way whose parts lie in those of workers that have left. */
  #readSegments(assignments: readonly Assignment[]): void {
    const { post, roster } = this.parts;
    post.segments?.readOnly(assignments.flatMap(({ worker }) => roster.get(worker)?.segment ?? []));
  }

  #close(): void {
    this.#offered?.relay.close();
    this.#offered?.release();
    this.#offered = undefined;
  }

  /** Lets others fetch a copy of a worker's state. Resolves with its digest. */
  async #offerState({ worker }: Assignment): Promise<string> {
    const { roster, training, copies, post } = this.parts;
    const member = roster.get(worker);
    if (!member) return '';
    const total = stateLayout(modelLayout(training)).length * Float32Array.BYTES_PER_ELEMENT;
    const { copy, release } = await copies.take({ member, content: Content.STATE, total, withDigest: true });
    this.#offered = { relay: new CopyRelay(copy, copies, post), release };
    return copy.digest;
  }

  async #assign(
    { worker, shards, source }: Assignment,
    { generation, holder }: Plan,
    { update, digest }: WhatComesWith,
  ): Promise<void> {
    const { roster, post } = this.parts;
    const member = roster.get(worker);
    // Who was lost meanwhile is missed by whoever waits.
    if (!member) return;
    member.generation = generation;
    const how = source === 'fetch' && holder === undefined && !this.#origin ? Source.SEED : SOURCES[source];
    const stateDigest = source === 'fetch' ? digest : '';
    const told = { shards: [...shards], source: how, stateDigest };
    const body = { ...told, ...this.parts.routes.of(worker) };
    await post.send(member, 'assignment', body, updateAt(update));
    if (source === 'catch up') await this.#sendMissedAverage(member, update - 1);
  }

  async #sendMissedAverage(member: Member, update: number): Promise<void> {
    const { post, average, training } = this.parts;
    const mean = average(update);
    const at = roundAt(update, training);
    const of = { content: Content.AVERAGE, shard: 0, length: mean.floats.length };
    for (const cut of cutsOf(training)(at.phase)) {
      const place = { offset: cut.offset, format: cut.format };
      await post.send(member, 'chunk', vectorChunk(of, place, writtenMean(mean, cut)), at);
    }
    await post.send(member, 'apply', {}, at);
  }
}

const SOURCES = {
  keep: Source.KEEP,
  still: Source.KEEP,
  'catch up': Source.CATCH_UP,
  fetch: Source.FETCH,
} as const;
