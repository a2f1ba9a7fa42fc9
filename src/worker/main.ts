#!/usr/bin/env node
import { runProgram } from '../common/program.js';
import { workerCommand } from './options.js';
import { work } from './work.js';

await runProgram(workerCommand(work), process.argv.slice(2));
