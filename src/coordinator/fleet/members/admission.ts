import { awakeTime } from '../../../common/process/awake.js';
import type { Log, LogFields } from '../../../common/log.js';
import type { Secret } from '../../../common/secret.js';
import { hashOptions, type TrainingOptions } from '../../../model/training-options.js';
import { lastUpdate } from '../../../model/round.js';
import { Liveness } from '../../../wire/liveness.js';
import type { Bodies, MessageOf } from '../../../wire/message.js';
import { Rejection } from '../../../wire/rejection.js';
import { Sequence } from '../../../wire/sequence.js';
import type { WorkerLossReason } from '../../../monitoring/metrics/labels.js';
import type { RunMetrics } from '../../../monitoring/metrics/run-metrics.js';
import type { PendingReplies } from '../pending-replies.js';
import { refuseHello, refuseReady } from './handshake.js';
import { HostFailures } from './host-failures.js';
import type { LocalWorkers } from '../local-workers/local-workers.js';
import type { WorkerChannel } from '../worker-channel.js';
import type { Recovery } from './recovery.js';
import { describe, type Member, type Roster } from './roster.js';
import { WorkerLost } from '../worker-lost.js';

/** Milliseconds from hello to ready, in which a worker loads its engine and decodes images. */
const JOIN_TIMEOUT = 600_000;

/** Told to a worker without keys that does not know the coordinator's secret. */
const UNPROVEN =
  'it does not know the secret of this coordinator, which its own user can read: start both as the same user, or use --keys';

export interface WorkerAdmissionParts {
  readonly training: TrainingOptions;
  readonly dataset: { readonly fingerprint: string; readonly count: number };
  /** Most members at once. */
  readonly maxWorkers: number;
  /** Silence for so many milliseconds is a lost connection. */
  readonly liveness: number;
  readonly roster: Roster;
  readonly recovery: Recovery;
  readonly channel: WorkerChannel;
  readonly replies: PendingReplies;
  readonly metrics: RunMetrics;
  /** The workers of this machine, where the run starts its own; otherwise they come from elsewhere. */
  readonly local: () => LocalWorkers | undefined;
  /** Secret that external workers must present; undefined if keys authenticate them. */
  readonly secret: Secret | undefined;
  /** Milliseconds for which a worker may compute after it lost its connection. */
  readonly phaseTime: () => number;
  /** True if workers listen for connections of other workers. */
  readonly peers: boolean;
  readonly log: Log;
  /** Called when a worker joined or left. */
  readonly onChange: () => void;
}

/** Admits workers to the run and detects lost ones. */
export class WorkerAdmission {
  readonly #options: string;
  readonly #hosts = new HostFailures();
  readonly #liveness: Liveness;
  /** Workers of this machine that were lost and have not ended yet: their end is no second loss. */
  readonly #ending = new Set<number>();
  #begun = false;

  constructor(private readonly parts: WorkerAdmissionParts) {
    this.#options = JSON.stringify(parts.training);
    this.#liveness = new Liveness({
      timeout: parts.liveness,
      beat: () => {
        void parts.channel.toAll(parts.roster.all(), 'ping', {});
      },
      judge: (since) => {
        this.#missTheSilent(since);
      },
    });
  }

  /** Tells a worker what the run is. Rejects with a Rejection where this is not its connection's first message. */
  async hello(peer: string, number: number, hello: Bodies['hello']): Promise<void> {
    const { roster, channel, dataset, liveness, recovery } = this.parts;
    if (roster.ofPeer(peer)) throw new Rejection('unexpected', 'a second hello');
    const sequence = new Sequence();
    sequence.require(number);
    const refusal = refuseHello(hello) ?? this.#refuseStranger(hello) ?? this.#hosts.refusal(hello.host);
    if (refusal !== undefined) return channel.refuse({ peer, sequence }, refusal, false);
    if (this.parts.secret?.matches(hello.secret) === false)
      return channel.refuse({ peer, sequence }, UNPROVEN, true);
    // The same process on a new connection: it has noticed sooner than we that the old one broke.
    const before = roster.ofProcess(hello.process);
    if (before) this.#part(before, 'silent', 'came back on a new connection');
    const place = this.#placeFor(hello);
    // A worker whose loss is not noticed yet leaves a place: whoever asks again may have it.
    if (place === undefined) return channel.refuse({ peer, sequence }, 'the run has all its workers', true);
    const member: Member = {
      ...{ number: place, peer, sequence, host: hello.host, pid: hello.pid, process: hello.process },
      ways: { addresses: [], key: '', token: '' },
      segment: '',
      ...{ since: awakeTime(), heard: performance.now() },
      ...{ state: 'joining', generation: recovery.generation },
      device: this.parts.local()?.deviceOf(place) ?? '',
    };
    roster.add(member);
    this.#ending.delete(place);
    this.parts.local()?.greeted(place);
    await channel.send(member, 'welcome', {
      worker: member.number,
      options: this.#options,
      optionsHash: hashOptions(this.#options),
      datasetFingerprint: dataset.fingerprint,
      datasetCount: dataset.count,
      liveness,
      peers: this.parts.peers,
      segment: this.parts.channel.segments?.name ?? '',
    });
  }

  /** Compares what must be equal on all workers. A worker that agrees can host shards. */
  ready(member: Member, { body, phase, step }: MessageOf<'ready'>): void {
    const { roster, dataset, recovery, onChange, log } = this.parts;
    if (member.state !== 'joining') throw new Rejection('unexpected', `a second ready`);
    const refusal = refuseReady(body, {
      optionsHash: hashOptions(this.#options),
      datasetFingerprint: dataset.fingerprint,
      engine: roster.engine,
    });
    if (refusal !== undefined) {
      this.#turnAway(member, refusal);
      return;
    }
    roster.engine ??= body.engine;
    member.state = 'ready';
    member.ways = { addresses: body.peerAddresses, key: body.peerKey, token: body.peerToken };
    // Where this run shares no memory, others do not hear of it either.
    if (this.parts.channel.segments) member.segment = body.segment;
    // What its engine calls it, where we do not know better: "native 2.21.0 gpu".
    if (member.device === '') member.device = body.engine.split(' ').at(-1) ?? '';
    roster.count();
    recovery.join(member.number, phase && lastUpdate(phase, step));
    const level = this.#begun ? 'info' : 'debug';
    log(`${describe(member)} joins`, { level, worker: member.number, event: 'joined' });
    onChange();
  }

  /** Something came from this worker. */
  heard(member: Member): void {
    member.heard = performance.now();
  }

  /** From the first update on, the run keeps its engine. */
  begun(): void {
    this.#begun = true;
  }

  /** A step was done with these workers. */
  served(members: readonly Member[]): void {
    for (const { number, host } of members) {
      this.parts.local()?.served(number);
      this.#hosts.served(host);
    }
  }

  /** A worker is no member any more. It may come back, on a new connection, unless it is a process of this machine. */
  lose(member: Member, reason: WorkerLossReason, cause: string): void {
    const machine = this.parts.local();
    if (!this.#part(member, reason, cause)) return;
    if (!machine) this.#hosts.failed(member, awakeTime());
    // What does not answer is ended; its end is logged, and it is started again.
    else if (reason !== 'exited') machine.kill(member.number);
    else machine.expectEnd(member.number);
  }

  /** A worker's connection is gone. Its process may live, and come back with its state. */
  disconnected(member: Member): void {
    if (!this.#part(member, 'silent', 'lost its connection')) return;
    const machine = this.parts.local();
    if (!machine) this.#hosts.failed(member, awakeTime());
    else machine.expectReturn(member.number, this.parts.phaseTime());
  }

  /** A process of this machine has ended, and is started again after a pause, or not any more. */
  ended(worker: number, cause: string, pause: number | undefined): void {
    const { roster, metrics, log, onChange } = this.parts;
    const member = roster.get(worker);
    const next = pause === undefined ? 'it is given up' : `it is started again${inSeconds(pause)}`;
    log(`${member ? describe(member) : `worker ${worker}`} ${cause}; ${next}`, {
      level: 'warn',
      worker,
      event: 'lost',
    });
    if (member) this.lose(member, 'exited', cause);
    else if (!this.#ending.has(worker)) metrics.countWorkerLoss('exited');
    this.#ending.delete(worker);
    onChange();
  }

  stop(): void {
    this.#liveness.stop();
  }

  /** Removes a worker from the run. Its process may still run. Returns false if it was removed before. */
  #part(member: Member, reason: WorkerLossReason, cause: string): boolean {
    const { channel, metrics, local, log } = this.parts;
    if (!this.#forget(member)) return false;
    metrics.countWorkerLoss(reason);
    void channel.refuse(member, cause, true);
    if (local()) this.#ending.add(member.number);
    if (!local()) log(`${describe(member)} ${cause}; its place is open`, about(member, 'lost'));
    else if (reason !== 'exited') log(`${describe(member)} ${cause}`, about(member, 'lost'));
    this.#announce(member, reason, cause);
    return true;
  }

  #announce(member: Member, reason: WorkerLossReason, cause: string): void {
    const { replies, onChange } = this.parts;
    replies.lose(new WorkerLost(member.number, reason, `${describe(member)} ${cause}`));
    onChange();
  }

  /** False where it was no member any more. */
  #forget(member: Member): boolean {
    const { roster, recovery, metrics } = this.parts;
    if (roster.get(member.number) !== member) return false;
    roster.remove(member);
    recovery.leave(member.number);
    metrics.forgetWorker(String(member.number));
    // Before the first update, those who come next need not have the engine of those who left.
    if (!this.#begun && roster.all().every(({ state }) => state === 'joining')) roster.engine = undefined;
    return true;
  }

  #turnAway(member: Member, reason: string): void {
    const { channel, replies, log, local } = this.parts;
    this.#forget(member);
    void channel.refuse(member, reason, false);
    // Another worker may come in its place; before the first update one of this machine's would be the same again.
    if (local() && !this.#begun) replies.fail(new Error(`worker ${member.number} was refused: ${reason}`));
    else log(`refused ${describe(member)}: ${reason}`, about(member, 'refused'));
  }

  /** A process number proves nothing: other users can read it. */
  #refuseStranger({ secret }: Bodies['hello']): string | undefined {
    const machine = this.parts.local();
    return machine && machine.numberOf(secret) === undefined
      ? 'the run starts its own workers: start the coordinator with --external for others'
      : undefined;
  }

  /** The number of a worker that says hello: that of its process here, or the next free one; undefined: it is taken. */
  #placeFor({ secret }: Bodies['hello']): number | undefined {
    const { roster, maxWorkers, local } = this.parts;
    const machine = local();
    if (!machine) return roster.freeNumber(maxWorkers);
    const number = machine.numberOf(secret);
    return number !== undefined && roster.get(number) ? undefined : number;
  }

  #missTheSilent(since: number): void {
    const { roster, liveness } = this.parts;
    const now = awakeTime();
    for (const member of roster.all())
      if (member.heard < since) this.lose(member, 'silent', `was silent for ${liveness / 1000} s`);
      else if (member.state === 'joining' && now - member.since > JOIN_TIMEOUT)
        this.lose(member, 'overdue', `was not ready in ${JOIN_TIMEOUT / 1000} s`);
  }
}

function inSeconds(pause: number): string {
  return pause === 0 ? '' : ` in ${pause / 1000} s`;
}

/** A worker that something is wrong with. */
function about({ number: worker }: Member, event: string): LogFields {
  return { level: 'warn', worker, event };
}
