// A process that reads whatever comes to it, at an address that it prints, until it is stopped.
import { Router } from 'zeromq';

const socket = new Router();
await socket.bind('tcp://127.0.0.1:*');
process.stdout.write(`${socket.lastEndpoint ?? ''}\n`);
for (;;) await socket.receive();
