import { writtenMean, type MeanArray } from '../../averaging/mean-array.js';
import type { Log } from '../../common/log.js';
import type { Faces, Sampler } from '../../data/index.js';
import { modelLayout } from '../../model/layout.js';
import { cutsOf } from '../../model/round-cuts.js';
import { updateAt } from '../../model/phase.js';
import { roundAt } from '../../model/round.js';
import { stateLayout } from '../../model/state.js';
import type { TrainingOptions } from '../../model/training-options.js';
import { Content, Source, type Bodies } from '../../wire/message.js';
import { Rejection } from '../../wire/rejection.js';
import { vectorChunk } from '../../wire/vector-chunks.js';
import type { StateSource } from '../compute-group.js';
import { ContentSource } from './content-source.js';
import type { Copies } from './copies.js';
import type { Post } from './post.js';
import type { Assignment, Plan } from './recovery.js';
import type { Member, Roster } from './roster.js';
import type { Routes } from './routes.js';
import { ResidualHosts } from './residual-hosts.js';
import { StateRelay } from './state-relay.js';

export interface RegroupParts {
  readonly training: TrainingOptions;
  readonly faces: Faces;
  readonly sampler: Sampler;
  readonly roster: Roster;
  readonly post: Post;
  readonly copies: Copies;
  readonly routes: Routes;
  readonly log: Log;
  /** The average of the last update. */
  readonly average: (update: number) => MeanArray;
}

/** Brings the workers into a new membership: hands out shards, and the state to those that lack it. */
export class Regroup {
  readonly #images: ContentSource;
  /** In a run that sends int8. */
  readonly #residuals: ResidualHosts | undefined;
  /** Where the run begins; undefined: from its seed. */
  #origin: StateSource | undefined;
  #relay: { readonly relay: StateRelay; readonly end: () => void } | undefined;

  constructor(
    private readonly parts: RegroupParts,
    origin: StateSource | undefined,
  ) {
    this.#images = new ContentSource(parts.faces, parts.sampler);
    this.#origin = origin;
    if (parts.training.wire === 'int8') this.#residuals = new ResidualHosts(parts.roster, parts.log);
  }

  rewind(origin: StateSource | undefined): void {
    this.#origin = origin;
  }

  /** Rejects with WorkerLost where the one that holds the state is lost meanwhile. */
  async carryOut(plan: Plan, update: number): Promise<void> {
    this.end();
    this.parts.routes.begin(plan.assignments);
    this.#readSegments(plan.assignments);
    this.#residuals?.begin(plan.assignments);
    const holder = plan.assignments.find(({ worker }) => worker === plan.holder);
    const fetching = plan.assignments.filter(({ source }) => source === 'fetch');
    const others = plan.assignments.filter(({ source }) => source !== 'fetch');
    // Getting images may take the holder long: where it is known to be up to date, it copies its state before.
    const offered = holder?.source === 'keep' ? this.#offerCopy(holder) : undefined;
    for (const assignment of others) await this.#assign(assignment, plan, update, '');
    const digest = holder ? await (offered ?? this.#offerCopy(holder)) : (this.#origin?.digest ?? '');
    for (const assignment of fetching) await this.#assign(assignment, plan, update, digest);
  }

  /** Answers a worker that lacks something. Throws a Rejection for what there is not. */
  async fetch(member: Member, fetch: Bodies['fetch']): Promise<void> {
    const { post } = this.parts;
    if (fetch.content === Content.IMAGES) return post.send(member, 'chunk', this.#images.images(fetch));
    if (fetch.content !== Content.STATE)
      throw new Rejection('out_of_range', `content ${fetch.content} cannot be fetched here`);
    if (this.#relay) return this.#relay.relay.fetch(member, fetch);
    // It was on its way when another membership began.
    if (!this.#origin)
      throw new Rejection('wrong_generation', 'a state is fetched that is not offered any more');
    return post.send(member, 'chunk', await this.#images.state(this.#origin, fetch));
  }

  /** Everybody has what was offered. */
  end(): void {
    this.#relay?.relay.close();
    this.#relay?.end();
    this.#relay = undefined;
  }

  /** No round is under way whose parts lie in those of workers that have left. */
  #readSegments(assignments: readonly Assignment[]): void {
    const { post, roster } = this.parts;
    post.segments?.readOnly(assignments.flatMap(({ worker }) => roster.get(worker)?.segment ?? []));
  }

  async #offerCopy({ worker }: Assignment): Promise<string> {
    const { roster, copies, post, training } = this.parts;
    const member = roster.get(worker);
    if (!member) return '';
    const total = stateLayout(modelLayout(training)).length * Float32Array.BYTES_PER_ELEMENT;
    const { copy, release } = await copies.take(member, Content.STATE, total, { withDigest: true });
    this.#relay = { relay: new StateRelay(copy, copies, post), end: release };
    return copy.digest;
  }

  async #assign(
    { worker, shards, source }: Assignment,
    { generation, holder }: Plan,
    update: number,
    digest: string,
  ): Promise<void> {
    const { roster, post } = this.parts;
    const member = roster.get(worker);
    // Who was lost meanwhile is missed by whoever waits.
    if (!member) return;
    member.generation = generation;
    const how = source === 'fetch' && holder === undefined && !this.#origin ? Source.SEED : SOURCES[source];
    const stateDigest = source === 'fetch' ? digest : '';
    const body = { shards: [...shards], source: how, stateDigest, ...this.parts.routes.of(worker) };
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
