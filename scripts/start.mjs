// npm start -- ARGS: sets up what is missing, then is `coordinator ARGS`.
import { followNpm } from './npm-parent.mjs';
import { prepare } from './prepare.mjs';
import { orExit } from './tool.mjs';

followNpm('start');
await orExit(prepare());
await import('../dist/src/cli/main.js');
