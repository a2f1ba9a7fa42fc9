// A process that opens connections to a ZeroMQ address, gets so far with each, and then only answers heartbeats or nothing.
// ADDRESS KIND COUNT [KEYS as JSON]. Writes a line `ADMITTED ENDED` whenever one of the two counts changes.
import { connect as connectTcp, type Socket } from 'node:net';
import { Dealer } from 'zeromq';
import type { LinkSecurity } from '../../../src/wire/security.js';

const [address, kind, count, keys] = process.argv.slice(2);
let admitted = 0;
let ended = 0;
const report = (): void => {
  process.stdout.write(`${admitted} ${ended}\n`);
};

/** A greeting of ZMTP 3.0 without keys, and after it the READY of a DEALER. */
const GREETING = Buffer.alloc(64);
GREETING.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]);
GREETING.write('NULL', 12);
const READY = Buffer.from('\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER', 'latin1');

const SAID: Readonly<Record<string, Uint8Array>> = {
  nothing: Buffer.alloc(0),
  'half a greeting': GREETING.subarray(0, 20),
  handshake: Buffer.concat([GREETING, READY]),
};

function open(): void {
  const socket = socketTo(address);
  let isIn = false;
  // ZeroMQ greets everybody that it accepts.
  socket.on('data', () => {
    if (!isIn) admitted++;
    isIn = true;
    report();
  });
  let isOver = false;
  const end = (): void => {
    if (!isOver) ended++;
    isOver = true;
    report();
  };
  socket.on('error', () => undefined);
  socket.on('end', end).on('close', end);
  socket.write(SAID[kind]);
}

function socketTo(target: string): Socket {
  if (target.startsWith('ipc://')) return connectTcp({ path: target.slice('ipc://'.length) });
  const host = target.includes('[::1]') ? '::1' : '127.0.0.1';
  return connectTcp({ host, port: Number(target.split(':').at(-1)) });
}

/** ZeroMQ itself, which answers heartbeats for ever. */
function openDealer(): void {
  const security = keys ? (JSON.parse(keys) as LinkSecurity) : undefined;
  const dealer = new Dealer({
    ...{ linger: 0, reconnectInterval: -1, heartbeatInterval: 1_000 },
    ...(security && {
      curveServerKey: security.serverKey,
      curvePublicKey: security.publicKey,
      curveSecretKey: security.secretKey,
    }),
  });
  dealer.events.on('handshake', () => {
    admitted++;
    report();
  });
  dealer.events.on('disconnect', () => {
    ended++;
    report();
  });
  dealer.connect(address);
}

for (let i = 0; i < Number(count); i++) (kind === 'ZeroMQ' ? openDealer : open)();
