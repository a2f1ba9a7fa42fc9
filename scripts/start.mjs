// npm start -- ARGS: sets up what is missing, then is `coordinator ARGS`.
import { prepare } from './prepare.mjs';
import { orExit } from './tool.mjs';

await orExit(prepare());
await import('../dist/src/coordinator/main.js');
