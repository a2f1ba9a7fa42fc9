import { writtenMean, type MeanArray } from '../../../averaging/mean-array.js';
import type { Faces, Sampler } from '../../../data/index.js';
import { modelLayout } from '../../../model/layout.js';
import { residualLayout } from '../../../model/residual-layout.js';
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
import type { Copies, CopyRequest } from '../state-transfer/snapshot-requests.js';
import type { Post } from '../worker-channel.js';
import type { Assignment, Plan } from './recovery.js';
import type { Member, Roster } from './roster.js';
import type { Routes } from '../rounds/routes.js';
import type { ResidualHosts, ResidualPlan } from './residual-hosts.js';

export interface RegroupParts {
  readonly training: TrainingOptions;
  readonly faces: Faces;
  readonly sampler: Sampler;
  readonly roster: Roster;
  readonly post: Post;
  readonly copies: Copies;
  readonly routes: Routes;
  /** In a run that sends int8. */
  readonly residuals: ResidualHosts | undefined;
  /** The average of the last update. */
  readonly average: (update: number) => MeanArray;
}

/** The version of the state that shards are assigned with, and how to get what belongs to them. */
interface WhatComesWith {
  readonly update: number;
  /** Of the state. */
  readonly digest: string;
  readonly residuals?: readonly Source[] | undefined;
}

/** Brings the workers into a new membership: hands out shards, and the state to those that lack it. */
export class Regroup {
  readonly #images: ContentSource;
  /** Where the run begins; undefined: from its seed. */
  #origin: StateSource | undefined;
  /** What workers hand on to others. */
  #offered: { readonly relays: readonly CopyRelay[]; readonly release: () => void } | undefined;

  constructor(
    private readonly parts: RegroupParts,
    origin: StateSource | undefined,
  ) {
    this.#images = new ContentSource(parts.faces, parts.sampler);
    this.#origin = origin;
  }

  rewind(origin: StateSource | undefined): void {
    this.#origin = origin;
    this.parts.residuals?.rewind(origin);
  }

  /** Rejects with WorkerLost where one that hands something on is lost meanwhile. */
  async carryOut(plan: Plan, update: number): Promise<void> {
    this.#close();
    this.parts.routes.begin(plan.assignments);
    this.#readSegments(plan.assignments);
    const residuals = this.parts.residuals?.begin(plan.assignments, update);
    const holder = plan.assignments.find(({ worker }) => worker === plan.holder);
    const isUpToDate = holder?.source === 'keep';
    const fetches = ({ worker, source }: Assignment): boolean =>
      source === 'fetch' || (residuals?.sources.get(worker)?.includes(Source.FETCH) ?? false);
    const assign = (assignment: Assignment, digest: string): Promise<void> =>
      this.#assign(assignment, plan, {
        update,
        digest,
        residuals: residuals?.sources.get(assignment.worker),
      });
    // Getting images may take a worker long: who is up to date copies what it hands on before.
    const offered = this.#offer([
      ...(isUpToDate ? this.#stateOf(holder) : []),
      ...(residuals ? this.#residualsOf(residuals) : []),
    ]);
    // Its error is that of the wait for it, below.
    offered.catch(() => undefined);
    for (const assignment of plan.assignments) if (!fetches(assignment)) await assign(assignment, '');
    let digest = await offered;
    if (!holder) digest = this.#origin?.digest ?? '';
    // Then nobody is up to date, and there is nothing else to hand on.
    else if (!isUpToDate) digest = await this.#offer(this.#stateOf(holder));
    for (const assignment of plan.assignments) if (fetches(assignment)) await assign(assignment, digest);
  }

  /** Answers a worker that lacks something. Throws a Rejection for what there is not. */
  async fetch(member: Member, fetch: Bodies['fetch']): Promise<void> {
    const { post } = this.parts;
    if (fetch.content === Content.IMAGES) return post.send(member, 'chunk', this.#images.images(fetch));
    if (fetch.content !== Content.STATE && fetch.content !== Content.RESIDUALS)
      throw new Rejection('out_of_range', `content ${fetch.content} cannot be fetched here`);
    const relay = this.#offered?.relays.find((each) => each.has(fetch));
    if (relay) return relay.fetch(member, fetch);
    const chunk = this.#fromOrigin(fetch);
    // It was on its way when another membership began.
    if (!chunk)
      throw new Rejection('wrong_generation', `content ${fetch.content} is fetched, which nobody offers`);
    return post.send(member, 'chunk', await chunk);
  }

  /** Whether others fetch something from this worker, or are going to. */
  isGiving(worker: number): boolean {
    return this.#offered?.relays.some((relay) => relay.giver === worker) ?? false;
  }

  /** Everybody has what was offered. */
  end(): void {
    this.parts.residuals?.end();
    this.#close();
  }

  /** No round is under way whose parts lie in those of workers that have left. */
  #readSegments(assignments: readonly Assignment[]): void {
    const { post, roster } = this.parts;
    post.segments?.readOnly(assignments.flatMap(({ worker }) => roster.get(worker)?.segment ?? []));
  }

  #close(): void {
    for (const relay of this.#offered?.relays ?? []) relay.close();
    this.#offered?.release();
    this.#offered = undefined;
  }

  #fromOrigin(fetch: Bodies['fetch']): Promise<Bodies['chunk']> | undefined {
    if (!this.#origin) return undefined;
    if (fetch.content === Content.STATE) return this.#images.state(this.#origin, fetch);
    const { residuals } = this.#origin;
    if (!residuals || fetch.shard >= this.parts.training.shards) return undefined;
    return this.#images.residuals(residuals, this.#residualBytes, fetch);
  }

  /** Lets others fetch copies of these. Resolves with the digest of the first one, where it has one. */
  async #offer(requests: readonly CopyRequest[]): Promise<string> {
    if (requests.length === 0) return '';
    const { copies: source, post } = this.parts;
    const { copies, release } = await source.takeAll(requests);
    this.#offered = { relays: copies.map((copy) => new CopyRelay(copy, source, post)), release };
    return copies[0].digest;
  }

  #stateOf({ worker }: Assignment): CopyRequest[] {
    const { roster, training } = this.parts;
    const member = roster.get(worker);
    const total = stateLayout(modelLayout(training)).length * Float32Array.BYTES_PER_ELEMENT;
    return member ? [{ member, content: Content.STATE, total, withDigest: true }] : [];
  }

  #residualsOf({ givers }: ResidualPlan): CopyRequest[] {
    const total = this.#residualBytes;
    return [...givers].map(([member, shards]) => ({ member, shards, content: Content.RESIDUALS, total }));
  }

  /** Of a shard. */
  get #residualBytes(): number {
    return (residualLayout(this.parts.training)?.length ?? 0) * Float32Array.BYTES_PER_ELEMENT;
  }

  async #assign(
    { worker, shards, source }: Assignment,
    { generation, holder }: Plan,
    { update, digest, residuals = [] }: WhatComesWith,
  ): Promise<void> {
    const { roster, post } = this.parts;
    const member = roster.get(worker);
    // Who was lost meanwhile is missed by whoever waits.
    if (!member) return;
    member.generation = generation;
    const how = source === 'fetch' && holder === undefined && !this.#origin ? Source.SEED : SOURCES[source];
    const stateDigest = source === 'fetch' ? digest : '';
    const told = { shards: [...shards], source: how, stateDigest, residuals: [...residuals] };
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
      const place = { offset: cut.offset, format: cut.mean.format };
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
