import type { WorkerChannel } from '../../src/coordinator/fleet/worker-channel.js';
import type { Member } from '../../src/coordinator/fleet/members/roster.js';
import type { Bodies, BodyKind } from '../../src/wire/message.js';
import { Sequence } from '../../src/wire/sequence.js';

/** What a coordinator would have sent to a worker: to whom, what and with which body. */
export type SentMessage = { [Kind in BodyKind]: { peer: string; kind: Kind; body: Bodies[Kind] } }[BodyKind];

/** Stands for the socket of a coordinator: keeps what is to be sent. */
export class FakeWorkerChannel {
  readonly messages: SentMessage[] = [];

  send(member: Member, kind: BodyKind, body: object): Promise<void> {
    this.messages.push({ peer: member.peer, kind, body } as SentMessage);
    return Promise.resolve();
  }

  async toAll(members: readonly Member[], kind: BodyKind, body: object): Promise<void> {
    for (const member of members) await this.send(member, kind, body);
  }

  refuse({ peer }: Pick<Member, 'peer'>, reason: string, retry: boolean): Promise<void> {
    this.messages.push({ peer, kind: 'refusal', body: { reason, retry } });
    return Promise.resolve();
  }

  get asChannel(): WorkerChannel {
    return this as unknown as WorkerChannel;
  }

  /** What was sent since the last look. */
  take(): SentMessage[] {
    return this.messages.splice(0);
  }
}

export function memberOf(number: number): Member {
  return {
    ...{ number, peer: `peer-${number}`, host: 'h', pid: 100 + number, process: `p${number}` },
    ...{ sequence: new Sequence(), since: 0, heard: 0, state: 'ready', generation: 1, device: 'cpu' },
    segment: '',
    ways: { addresses: [], key: '', token: '' },
  };
}
