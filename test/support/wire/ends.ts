import type { TestContext } from 'node:test';
import { Link } from '../../../src/wire/link.js';
import { Listener, type Received } from '../../../src/wire/listener.js';
import type { Message } from '../../../src/wire/message.js';
import type { Heartbeat } from '../../../src/wire/socket-options.js';
import { TrafficLog } from './traffic-log.js';

/** A coordinator's end that keeps what it gets, until the test is over. */
export async function listen(t: TestContext, heartbeat?: Heartbeat) {
  const traffic = new TrafficLog();
  const listener = await Listener.bind('tcp://127.0.0.1:*', traffic, heartbeat);
  t.after(() => listener.close());
  const received: Received[] = [];
  void (async () => {
    for await (const each of listener.messages()) received.push(each);
  })();
  return { listener, traffic, received, address: listener.address };
}

/** A worker's end that keeps what it gets, until the test is over. */
export function connect(t: TestContext, address: string, heartbeat?: Heartbeat) {
  const traffic = new TrafficLog();
  const events: string[] = [];
  const link = Link.connect(address, traffic, (event) => events.push(event), heartbeat);
  t.after(() => link.close());
  const received: Message[] = [];
  void (async () => {
    for await (const message of link.messages()) received.push(message);
  })();
  return { link, traffic, events, received };
}
