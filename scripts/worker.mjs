// npm run worker -- ARGS: sets up what is missing, then is `worker ARGS`.
import { followNpm } from './npm-parent.mjs';
import { prepare } from './prepare.mjs';
import { orExit } from './tool.mjs';

followNpm('worker');
await orExit(prepare());
await import('../dist/src/worker/main.js');
