#!/usr/bin/env node
import { runProgram } from '../common/program.js';
import { coordinatorCommand } from './command.js';
import { DEMONSTRATION, demonstrationLine } from './demonstration.js';

const args = process.argv.slice(2);
if (args.length === 0) process.stderr.write(demonstrationLine());
await runProgram(coordinatorCommand(), args.length === 0 ? DEMONSTRATION : args);
