import type { TestContext } from 'node:test';
import { Link } from '../../../src/wire/link.js';
import { Listener } from '../../../src/wire/listener.js';
import type { Message } from '../../../src/wire/message.js';
import type { Heartbeat } from '../../../src/wire/socket-options.js';
import { TrafficLog } from './traffic-log.js';

export interface Arrived {
  readonly peer: string;
  readonly message: Message;
}

/** A coordinator's end that keeps what it gets, until the test is over. */
export async function listen(t: TestContext, heartbeat?: Heartbeat) {
  const traffic = new TrafficLog();
  const listener = await Listener.bind('tcp://127.0.0.1:*', traffic, {
    // Tests send more at once than anybody else.
    sendHighWaterMark: 1_000,
    ...(heartbeat && { heartbeat }),
  });
  t.after(() => listener.close());
  const received: Arrived[] = [];
  void (async () => {
    for await (const { peer, message } of listener.messages()) if (message) received.push({ peer, message });
  })();
  return { listener, traffic, received, address: listener.address };
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
