import type { Deferred } from '../../common/deferred.js';
import { hashOptions, type TrainingOptions } from '../../model/training-options.js';
import type { Bodies } from '../../wire/message.js';
import { Rejection } from '../../wire/rejection.js';
import type { Expectations } from './expectations.js';
import { refuseHello, refuseReady } from './handshake.js';
import type { Post } from './post.js';
import type { Member, MemberState, Roster } from './roster.js';
import { assignShards } from './shard-assignment.js';

export interface AdmissionParts {
  readonly training: TrainingOptions;
  readonly dataset: { readonly fingerprint: string; readonly count: number };
  readonly external: boolean;
  /** The step that will be computed first, and whether its state has to be fetched. */
  readonly firstStep: number;
  readonly fetchState: boolean;
  readonly roster: Roster;
  readonly post: Post;
  readonly expectations: Expectations;
  readonly log: (line: string) => void;
}

/** How workers become members of the run: hello, ready, a part of the shards, prepared. */
export class Admission {
  /** Who hosts each shard; empty until all are admitted. */
  readonly workerOfShard = new Map<number, number>();
  /** Resolves when everybody is prepared for the first step. */
  readonly done: Deferred<void>;
  readonly #options: string;

  constructor(private readonly parts: AdmissionParts) {
    this.done = parts.expectations.expect();
    this.#options = JSON.stringify(parts.training);
  }

  /** Tells a worker what the run is; `place` is the number it would have, if there is one for it. */
  async hello(peer: string, hello: Bodies['hello'], place: number | undefined): Promise<void> {
    const { roster, post, dataset, external } = this.parts;
    if (roster.ofPeer(peer)) throw new Rejection('unexpected', 'a second hello');
    const free = place === undefined || roster.has(place) ? undefined : place;
    const refusal = refuseHello(hello, free, external);
    if (free === undefined || refusal !== undefined) return post.refuse(peer, refusal ?? 'no place is free');
    const member: Member = { number: free, peer, host: hello.host, pid: hello.pid, state: 'joining' };
    roster.add(member);
    return post.send(member, 'welcome', {
      worker: member.number,
      options: this.#options,
      optionsHash: hashOptions(this.#options),
      datasetFingerprint: dataset.fingerprint,
      datasetCount: dataset.count,
    });
  }

  /** Compares what must be the same for all, and hands out the shards once everybody is here. */
  async ready(member: Member, ready: Bodies['ready']): Promise<void> {
    requireState(member, 'joining');
    const { roster, dataset } = this.parts;
    const refusal = refuseReady(ready, {
      optionsHash: hashOptions(this.#options),
      datasetFingerprint: dataset.fingerprint,
      engine: roster.engine,
    });
    if (refusal !== undefined) return this.#turnAway(member, refusal);
    roster.engine ??= ready.engine;
    member.state = 'admitted';
    if (roster.allAre('admitted')) await this.#handOutShards();
  }

  prepared(member: Member): void {
    requireState(member, 'admitted');
    member.state = 'ready';
    if (this.parts.roster.allAre('ready')) this.done.resolve();
  }

  async #turnAway(member: Member, reason: string): Promise<void> {
    const { roster, post, external, expectations, log } = this.parts;
    roster.remove(member);
    await post.refuse(member.peer, reason);
    // Another worker may come in its place; one of this machine's will not.
    if (external) log(`refused worker ${member.number} (${member.host}, pid ${member.pid}): ${reason}`);
    else expectations.fail(new Error(`worker ${member.number} was refused: ${reason}`));
  }

  async #handOutShards(): Promise<void> {
    const { training, roster, post, firstStep, fetchState } = this.parts;
    const members = roster.all();
    const parts = assignShards(training.shards, members.length);
    for (const member of members) {
      const shards = parts[member.number];
      for (const shard of shards) this.workerOfShard.set(shard, member.number);
      await post.send(member, 'assignment', { shards, fetchState }, { step: firstStep });
    }
  }
}

/** Throws a Rejection for what is said before or after its time. */
function requireState({ number, state }: Member, expected: MemberState): void {
  if (state !== expected) throw new Rejection('unexpected', `worker ${number} is ${state}, not ${expected}`);
}
