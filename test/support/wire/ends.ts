import type { TestContext } from 'node:test';
import { Link } from '../../../src/wire/link.js';
import { Listener } from '../../../src/wire/listener.js';
import type { Message } from '../../../src/wire/message.js';
import { Sequence } from '../../../src/wire/sequence.js';
import type { Heartbeat } from '../../../src/wire/socket-options.js';
import { TrafficLog } from './traffic-log.js';

export interface Arrived {
  readonly peer: string;
  readonly number: number;
  readonly message: Message;
}

/** More messages than any test sends at a time. */
const MANY = 1_000;

/** A coordinator's end that keeps what it gets, until the test is over. */
export async function listen(t: TestContext, heartbeat?: Heartbeat) {
  const traffic = new TrafficLog();
  const listener = await Listener.bind('tcp://127.0.0.1:*', traffic, {
    ...(heartbeat && { heartbeat }),
    sendHighWaterMark: MANY,
  });
  t.after(() => listener.close());
  const received: Arrived[] = [];
  void (async () => {
    for await (const { peer, number, message } of listener.messages())
      if (message) received.push({ peer, number, message });
  })();
  const sequences = new Map<string, Sequence>();
  const send = (peer: string, message: Message): Promise<void> => {
    const sequence = sequences.get(peer) ?? new Sequence();
    sequences.set(peer, sequence);
    return listener.send(peer, sequence, message);
  };
  return { listener, traffic, received, send, address: listener.address };
}

/** A worker's end that keeps what it gets, until the test is over. */
export function connect(t: TestContext, address: string, heartbeat?: Heartbeat) {
  const traffic = new TrafficLog();
  const events: string[] = [];
  const link = Link.connect(address, traffic, (event) => events.push(event), {
    ...(heartbeat && { heartbeat }),
  });
  t.after(() => link.close());
  const received: Message[] = [];
  void (async () => {
    for await (const message of link.messages()) received.push(message);
  })();
  return { link, traffic, events, received };
}
