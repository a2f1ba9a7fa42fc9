import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { curveKeyPair } from 'zeromq';
import { SummingMemory, PART_FLOATS } from '../../src/averaging/summing-memory.js';
import { bytesOf } from '../../src/common/bytes.js';
import { Link } from '../../src/wire/link.js';
import { Listener } from '../../src/wire/listener.js';
import { Content, type Message } from '../../src/wire/message.js';
import { median } from '../support/median.js';
import type { Costs } from './simulate.js';

const CHUNKS = 200;
const TURNS = 5;
/** With a payload of no size: decoding, checks and turns of the event loop. */
const PER_MESSAGE = 50e-6; // seconds
const NOTHING = { sent: () => undefined, received: () => undefined, rejected: () => undefined };

/** What the trainer's own links and sums cost on this machine. */
export async function measureCosts(way: 'ipc' | 'curve'): Promise<Costs> {
  const transfers: { main: number; io: number }[] = [];
  for (let turn = 0; turn < TURNS; turn++) transfers.push(await measureTransfer(way));
  const main = median(transfers.map((transfer) => transfer.main));
  const io = median(transfers.map((transfer) => transfer.io));
  return { perMessage: PER_MESSAGE, send: main, receive: main, io, ...measureSums() };
}

/** Seconds of a byte at each end, which are both here. */
async function measureTransfer(way: 'ipc' | 'curve'): Promise<{ main: number; io: number }> {
  const [server, client] = [curveKeyPair(), curveKeyPair()];
  const isEncrypted = way === 'curve';
  const listener = await Listener.bind(
    isEncrypted ? 'tcp://127.0.0.1:*' : `ipc://@bench-${randomUUID()}`,
    NOTHING,
    isEncrypted ? { security: { ...server, admitted: new Set([client.publicKey]) } } : {},
  );
  const link = Link.connect(listener.address, NOTHING, () => undefined, {
    security: isEncrypted ? { ...client, serverKey: server.publicKey } : undefined,
  });
  try {
    const messages = listener.messages();
    const part = new Float32Array(PART_FLOATS);
    await link.send(chunk(part));
    await messages.next();
    const [cpu, mainBefore] = [process.cpuUsage(), mainSeconds()];
    for (let sent = 0; sent < CHUNKS; sent++) void link.send(chunk(part));
    for (let received = 0; received < CHUNKS; received++) await messages.next();
    const { user, system } = process.cpuUsage(cpu);
    const main = mainSeconds() - mainBefore;
    const ends = 2 * CHUNKS * part.byteLength;
    return { main: main / ends, io: Math.max(0, (user + system) / 1e6 - main) / ends };
  } finally {
    await link.close();
    await listener.close();
  }
}

/** Of the processor, by the main thread alone (Linux). */
function mainSeconds(): number {
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
}

function chunk(part: Float32Array): Message {
  const payload = bytesOf(part);
  const place = { content: Content.GRADIENT, shard: 0, offset: 0, total: payload.length, request: 0 };
  return {
    ...{ run: 'bench-scaling', generation: 1, step: 1, phase: 'generator' },
    ...{ kind: 'chunk', body: { ...place, payload } },
  };
}

/** Seconds of a byte of the result. */
function measureSums(): Pick<Costs, 'sum' | 'copy'> {
  const memory = new SummingMemory(PART_FLOATS);
  const into = memory.allocate(PART_FLOATS);
  const [left, right] = [new Float32Array(PART_FLOATS), new Float32Array(PART_FLOATS)];
  const perByte = (action: () => void): number => {
    const times = Array.from({ length: CHUNKS }, () => {
      const begun = performance.now();
      action();
      return performance.now() - begun;
    });
    return median(times) / 1e3 / into.byteLength;
  };
  return {
    sum: perByte(() => {
      memory.mean(into, left, right, 2, PART_FLOATS);
    }),
    copy: perByte(() => {
      into.set(left);
    }),
  };
}
