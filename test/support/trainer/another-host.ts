import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

// Loaded before a program: it takes itself for one of another machine.
os.hostname = () => `host-of-${process.pid}`;
syncBuiltinESMExports();
