// A process that says hello at the address it is given, by a heartbeat in milliseconds, and then only listens.
import { Link } from '../../../src/wire/link.js';
import { MESSAGES } from './messages.js';
import { TrafficLog } from './traffic-log.js';

const [address, interval, timeout] = process.argv.slice(2);
const link = Link.connect(address, new TrafficLog(), () => undefined, {
  heartbeat: { interval: Number(interval), timeout: Number(timeout) },
});
await link.send(MESSAGES[0]);
for await (const { kind } of link.messages()) process.stdout.write(`${kind}\n`);
