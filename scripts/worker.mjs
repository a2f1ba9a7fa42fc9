// npm run worker -- ARGS: sets up what is missing, then is `worker ARGS`.
import { prepare } from './prepare.mjs';
import { orExit } from './tool.mjs';

await orExit(prepare());
await import('../dist/src/worker/main.js');
