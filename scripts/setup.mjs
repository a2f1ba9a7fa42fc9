// npm run setup: makes everything that is missing, and tries again what failed before.
import { prepare } from './prepare.mjs';
import { orExit } from './tool.mjs';

await orExit(prepare({ retryEngine: true }));
