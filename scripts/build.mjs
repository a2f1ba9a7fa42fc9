// npm run build: packages and dist, without the engine.
import { prepare } from './prepare.mjs';
import { orExit } from './tool.mjs';

await orExit(prepare({ engine: false }));
