#!/usr/bin/env node
import { report } from '../common/console.js';
import { runProgram } from '../common/program.js';
import { coordinatorCommand } from './command.js';
import { DEMONSTRATION, demonstrationLine } from './demonstration.js';

const args = process.argv.slice(2);
if (args.length === 0) report(demonstrationLine());
await runProgram(coordinatorCommand(), args.length === 0 ? DEMONSTRATION : args);
