import { messageOf } from '../../common/errors.js';
import type { Received } from '../../wire/listener.js';
import { Content, type Bodies, type BodyKind, type Message } from '../../wire/message.js';
import { Rejection } from '../../wire/rejection.js';
import { chunkOf } from '../../wire/segments/shared-chunk.js';
import type { RunMetrics } from '../../monitoring/metrics/run-metrics.js';
import type { SnapshotRequests } from './state-transfer/snapshot-requests.js';
import type { PendingReplies } from './pending-replies.js';
import type { WorkerAdmission } from './members/admission.js';
import type { WorkerChannel } from './worker-channel.js';
import type { Recovery } from './members/recovery.js';
import type { Reassignment } from './members/reassignment.js';
import type { Member, Roster } from './members/roster.js';
import type { Rounds } from './rounds/rounds.js';

export interface MessageDispatcherParts {
  readonly channel: WorkerChannel;
  readonly roster: Roster;
  readonly recovery: Recovery;
  readonly admission: WorkerAdmission;
  readonly rounds: Rounds;
  readonly snapshots: SnapshotRequests;
  readonly reassignment: Reassignment;
  readonly replies: PendingReplies;
  readonly metrics: RunMetrics;
  /** One more worker is prepared for the generation that begins. */
  readonly onPrepared: () => void;
  readonly onUnreachable: (member: Member, unreachable: Bodies['unreachable']) => void;
}

/** Messages that a worker may send before it is ready. */
const WHILE_JOINING: readonly BodyKind[] = ['ready', 'ping', 'failure'];

/** Reads the workers' messages and dispatches them. */
export class MessageDispatcher {
  constructor(private readonly parts: MessageDispatcherParts) {}

  /** Resolves when the post is closed. */
  async read(): Promise<void> {
    try {
      for await (const received of this.parts.channel.messages()) this.#receive(received);
    } catch (error) {
      this.parts.replies.fail(error instanceof Error ? error : new Error(messageOf(error)));
    }
  }

  #receive({ peer, number, message }: Received): void {
    const member = this.parts.roster.ofPeer(peer);
    if (!message) {
      if (member) this.parts.admission.lose(member, 'garbled', 'sent what is no message');
      return;
    }
    this.#settle(member, () => {
      if (message.kind === 'hello') return this.parts.admission.hello(peer, number, message.body);
      if (!member) throw new Rejection('unknown_sender', 'a message from nobody of this run');
      member.sequence.require(number);
      this.parts.admission.heard(member);
      this.parts.channel.requireOurs(message, this.parts.recovery.generation);
      return this.#handle(member, message);
    });
  }

  #handle(member: Member, message: Message): Promise<void> | undefined {
    // A worker gets neither images nor state before it is admitted.
    if (member.state === 'joining' && !WHILE_JOINING.includes(message.kind))
      throw new Rejection('unexpected', `${message.kind} of a worker that is not ready`);
    switch (message.kind) {
      case 'ready':
        this.parts.admission.ready(member, message);
        return;
      case 'prepared':
        if (!this.parts.recovery.isGrouped(member.number))
          throw new Rejection('unexpected', 'prepared for nothing');
        this.parts.recovery.prepared(member.number);
        this.parts.onPrepared();
        return;
      case 'chunk':
        if (message.body.content === Content.GRADIENT) return this.parts.rounds.addGradient(member, message);
        this.parts.snapshots.chunk(member, message.body);
        return;
      case 'sharedChunk': {
        const chunk = chunkOf(this.parts.channel.segments, member.segment, message);
        if (chunk.body.content !== Content.GRADIENT)
          throw new Rejection('out_of_range', `a place of content ${chunk.body.content}`);
        return this.parts.rounds.addGradient(member, chunk);
      }
      case 'shardDone':
        this.parts.rounds.shardDone(member, message);
        return;
      case 'averaged':
        this.parts.rounds.averaged(member, message);
        return;
      case 'unreachable':
        this.parts.onUnreachable(member, message.body);
        return;
      case 'snapshotTaken':
        this.parts.snapshots.taken(member, message.body);
        return;
      case 'fetch':
        return this.parts.reassignment.fetch(member, message.body);
      case 'failure':
        this.parts.admission.lose(member, 'exited', `failed: ${message.body.reason}`);
        return;
      case 'ping':
        return;
      case 'hello':
      case 'welcome':
      case 'refusal':
      case 'assignment':
      case 'compute':
      case 'apply':
      case 'snapshot':
      case 'stop':
      case 'greeting':
        throw new Rejection('unexpected', `${message.kind} is not for a coordinator`);
    }
  }

  /**
   * Does what a message asks for while the next ones are read. A message that is not as it must be costs its sender:
   * a connection that garbled one cannot be trusted with the rest. Anything else ends the run.
   */
  #settle(member: Member | undefined, work: () => Promise<void> | undefined): void {
    const refuse = (error: unknown): void => {
      if (!(error instanceof Rejection)) {
        this.parts.replies.fail(error instanceof Error ? error : new Error(messageOf(error)));
        return;
      }
      this.parts.metrics.countRejected(error.reason);
      if (member && error.reason !== 'wrong_generation')
        this.parts.admission.lose(member, 'garbled', `sent an invalid message: ${error.message}`);
    };
    try {
      work()?.catch(refuse);
    } catch (error) {
      refuse(error);
    }
  }
}
