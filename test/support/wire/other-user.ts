// A process that becomes another user and tries to get into a run at an address: says hello with the process number of a
// worker, then asks for images. Prints what comes of it, a line each, until it is ended.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { PROTOCOL_VERSION } from '../../../src/wire/codec.js';
import { AddressSecret } from '../../../src/wire/address-secret.js';
import { Link } from '../../../src/wire/link.js';
import { Content } from '../../../src/wire/message.js';
import { TrafficLog } from './traffic-log.js';

const NOBODY = 65534;
const [address, pid] = process.argv.slice(2);
process.setgroups?.([]);
process.setgid?.(NOBODY);
process.setuid?.(NOBODY);

const say = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  say(`environment: ${readFileSync(`/proc/${pid}/environ`, 'utf8').length} characters`);
} catch (error) {
  say(`environment: ${(error as NodeJS.ErrnoException).code}`);
}
if (address.startsWith('ipc://'))
  connect({ path: address.slice('ipc://'.length) })
    .on('connect', () => {
      say('socket: connected');
    })
    .on('error', (error: NodeJS.ErrnoException) => {
      say(`socket: ${error.code}`);
    });
else {
  const header = { run: '', generation: 0, step: 0, phase: undefined };
  const link = Link.connect(address, new TrafficLog(), () => undefined);
  const facts = { host: 'h', pid: Number(pid), process: 'p', secret: AddressSecret.read(address) };
  await link.send({ ...header, kind: 'hello', body: { protocol: PROTOCOL_VERSION, ...facts } });
  for await (const message of link.messages()) {
    say(`${message.kind}: ${JSON.stringify(message.body)}`);
    const { run } = message;
    const images = { content: Content.IMAGES, shard: 0, offset: 0, request: 1 };
    await link.send({ ...header, run, kind: 'fetch', body: images });
  }
}
